"""Every mistake in a spec is told once, at its place, with what to do."""

import pytest

from tests.contracts.specs import assert_told

# § marks where the problem must be reported.
MISTAKES = {
    # the text
    "tab": ("checks:\n§\tunit: {run: x}", "indent with spaces"),
    "alias": ("sites: {include: [§*py], find: {regex: x}}", "quote a pattern that starts with *"),
    "anchor": ("objective: §&x Better", "use `vars`"),
    "duplicate key": ("checks: {unit: {run: x, §run: y}}", "merge it with the one in line 8"),
    "open bracket": ("sites: {include: [x§}", "expected ',' or ']'"),
    "comma in a plain value": (
        "checks: {unit: {run: §ruff --select F821,F401,E9 x, retries: 1}}",
        "quote the value of `run`",
    ),
    "brace in a plain value": ("checks: {unit: {run: fix §{files}}}", "quote the value of `run`"),
    "unquoted placeholder": (
        'checks: {unit: {run: "x {files}", whole: §{files}}}',
        'quote it: "{files}"',
    ),
    "colon in a plain value": ("objective: Better§: much", "quote the value"),
    "escape in double quotes": (
        'sites: {include: [/x], find: {regex: "\\§d"}}',
        "use single quotes",
    ),
    "empty value": ("§objective:", "give a value or remove it"),
    "empty claude": ("ladder: [{§claude: }]", "write `claude: {}`"),
    "tag": ("objective: §!!binary eHg=", "quote a value that starts with !"),
    # the forms
    "unknown field": ("checks: {unit: {run: x, §timeuot: 1m}}", "did you mean `timeout`?"),
    "unknown top-level field": ("§phasis: []", "did you mean `phases`?"),
    "grants in a spec": ("§grants: [/a.py]", "a plan's task has `grants`"),
    "a look each second": ("follow: §1s", "write 10s or more"),
    "a budget that limits nothing": (
        "landing: {deep: [], §budget: {}}",
        "say how much may be red, such as `reds: 0`",
    ),
    "environment for in": ("checks: {unit: {run: x, §environment: tool}}", "did you mean `in`?"),
    "version as a float": (
        "environments: {tool: {python: §3.10, pip: [pytest==8.3.5]}}",
        'quote it: "3.10"',
    ),
    "patch version of python": (
        'environments: {tool: {python: §"3.11.4", pip: [pytest==8.3.5]}}',
        'such as "3.11"',
    ),
    "number in a command": ("checks: {unit: {run: [sleep, §1]}}", 'quote it: "1"'),
    "timeout without a unit": ("checks: {unit: {run: x, timeout: §10}}", "such as 10m"),
    "bad duration": ("checks: {unit: {run: x, timeout: §10min}}", "such as 10m"),
    "bad size": ("limits: {memory: §4GB}", "such as 4GiB"),
    "limit out of bounds": ("limits: {concurrency: §0}", "at least 1"),
    "text for a number": ("limits: {attempts: §many}", "write a whole number"),
    "spec version": ("version: §2", "known here: 1"),
    "name that is not a slug": ("name: §Demo_1", "lower-case letters, digits and hyphens"),
    "check's name": ('checks: {§Unit: {run: "x {files}"}}', "lower-case letters"),
    "credentials in the repository's URL": (
        "repository: §https://ann:hunter2@git.example.com/app.git",
        "leave them out",
    ),
    "empty repository": ('repository: §""', "the repository's URL or path"),
    "accept without a reason": (
        "sites: {include: [/x], find: {regex: x}, accept: [§{path: /x}]}",
        "say in one line why",
    ),
    "two finders in one": (
        "sites: {include: [/x], find: [§{regex: x, command: y}]}",
        "exactly one of regex, ast_grep, command, codemod",
    ),
    "two rungs in one": ("ladder: [§{command: x, claude: {}}]", "exactly one of codemod"),
    "unknown choice": ("checks: {unit: {run: x, expect: §no_wrose}}", "did you mean `no_worse`?"),
    "unknown moment": ("checks: {unit: {run: x, at: [§landin]}}", "did you mean `landing`?"),
    "unknown split": ("split: {by: §dir}", "did you mean `directory`?"),
    "scalar for a list": ("protect: §/setup.cfg", "write [/setup.cfg]"),
    "a task dearer than all": ("limits: {usd: 5, task_usd: §6}", "at most `task_usd: 5`"),
    # fields of later versions
    "approval of delivery": ("approvals: [§delivery]", "only `plan` and `pilot`"),
    "pull requests": ("delivery: {§pull_requests: {open: 5}}", "from the green branch"),
    # plans
    "plan by nobody": ("plan: §sttic", "write static, claude, or the path"),
    "plan of no phase": ("phases: [{name: a, plan: §plan.yaml}]", "such as plan.json"),
    "plan that is no text": ("plan: §1", 'quote it: "1"'),
    "one plan for two phases": (
        "§plan: plan.json\nphases: [{name: a}, {name: b}]",
        "into the phase that it is of",
    ),
    "plan of a fleet": ("-repository\nrepositories: [x, y]\nplan: §plan.json", "a spec of its own"),
    # pilots
    "approval of no pilot": ("approvals: [plan, §pilot]", "such as `pilot: 3`"),
    "approval of a pilot of none": ("approvals: [§pilot]\npilot: 0", "such as `pilot: 3`"),
    "pilot of less than none": ("phases: [{name: a, pilot: §-1}]", "at least 0"),
    "pilot that is everything": ("pilot: §all", "write a whole number"),
    "pilot of too many": ("pilot: §101", "at most 100"),
    # waivers
    "waiver of an unknown rule": (
        "integrity: [{rule: §tests-delete, paths: [/t], reason: r}]",
        "did you mean `tests-deleted`?",
    ),
    "waiver without a reason": (
        "integrity: [§{rule: tests-deleted, paths: [/t]}]",
        "say in one line why",
    ),
    "waiver with an empty reason": (
        'integrity: [{rule: tests-deleted, paths: [/t], reason: §""}]',
        "say in one line why",
    ),
    "waiver without paths": ("integrity: [§{rule: tests-deleted, reason: r}]", "name the files"),
    "waiver of no path": (
        "integrity: [{rule: tests-deleted, paths: §[], reason: r}]",
        "name the files",
    ),
    "waiver of a bad pattern": (
        "integrity: [{rule: tests-deleted, paths: [§./t], reason: r}]",
        "write `/t`",
    ),
    "waiver that is no list": (
        "integrity: §{rule: tests-deleted, paths: [/t], reason: r}",
        "write a list",
    ),
    "waiver with a field too many": (
        "integrity: [{rule: tests-deleted, paths: [/t], reason: r, §until: 1}]",
        "known here: paths, reason, rule",
    ),
    # repositories
    "both": ("repository: x\n§repositories: [x]", "keep one of them"),
    "neither": ("§version: 1\n-repository", "`repositories` lists several"),
    "fleet of one": ("§fleet: {canary: 1}", "list them under `repositories`"),
    "no repositories": ("-repository\nrepositories: §[]", "give a value or remove it"),
    "repositories of one name": (
        "-repository\nrepositories: [a/x.git, §https://b.example/x]",
        "give it one of its own",
    ),
    "repository without a URL": ("-repository\nrepositories: [§{name: x}]", "add it"),
    "credentials in one of several": (
        "-repository\nrepositories: [{url: §'https://a:b@c.example/x'}]",
        "leave them out",
    ),
    "base of one of several": (
        "-repository\nrepositories: [{url: x, base: §a..b}]",
        "whimbrel/httpx",
    ),
    "unknown field of a repository": (
        "-repository\nrepositories: [{url: x, §bsae: b}]",
        "did you mean `base`",
    ),
    "unknown field of a fleet": (
        "-repository\nrepositories: [x]\nfleet: {§canaries: 1}",
        "did you mean `canary`",
    ),
    "too small a fleet": (
        "-repository\nrepositories: [x]\nfleet: {concurrency: §0}",
        "not 0",
    ),
    "variable that one repository lacks": (
        "-repository\nobjective: Better §{vars.z}.\nrepositories: [x, {url: y, vars: {z: b}}]",
        "define it under `vars`",
    ),
    "variable in a repository's variable": (
        "-repository\nvars: {a: b}\nrepositories: [{url: x, vars: {c: '§{vars.a}'}}]",
        "write its value out",
    ),
    # environments
    "toolchain without a version": ("environments: {go: {toolchains: [§go]}}", "go@1.26"),
    "toolchain of no exact version": (
        "environments: {go: {toolchains: [§go@latest]}}",
        "write go@version",
    ),
    "unknown toolchain": ("environments: {go: {toolchains: [§ruby@3.2]}}", "known here: go, java"),
    "secret that is written out": (
        "environments: {go: {prepare: x, secrets: {TOKEN: §hunter2}}}",
        "write secret:NAME",
    ),
    "secrets without a variable": (
        "environments: {go: {prepare: x, secrets: §[secret:TOKEN]}}",
        "write a map",
    ),
    "secret under a variable that is taken": (
        "environments: {go: {prepare: x, secrets: {HOME: §secret:TOKEN}}}",
        "another name",
    ),
    "secrets without prepare": (
        "environments: {go: {toolchains: [go@1.26], §secrets: {TOKEN: secret:TOKEN}}}",
        "add `prepare`",
    ),
    "secrets where the tree is seen": (
        "environments: {go: {prepare: x, inputs: [/a], §secrets: {TOKEN: secret:TOKEN}}}",
        "remove `inputs`",
    ),
    "secret for a check": (
        "checks: {unit: {run: x, env: {TOKEN: §secret:TOKEN}}}",
        "under `secrets` of the environment",
    ),
    "secret for all of an environment": (
        "environments: {go: {prepare: x, env: {TOKEN: §secret:TOKEN}}}",
        "under `secrets` of the environment",
    ),
    "secret for a program that reaches nothing": (
        "ladder: [{command: {run: x, §secrets: {TOKEN: secret:TOKEN}}}]",
        "name under `network`",
    ),
    "secret of a program that is written out": (
        "ladder: [{command: {run: x, network: [a], secrets: {TOKEN: §hunter2}}}]",
        "write secret:NAME",
    ),
    "secret for a program under a variable that is taken": (
        "ladder: [{command: {run: x, network: [a], secrets: {HOME: §secret:TOKEN}}}]",
        "another name",
    ),
    "unknown agent": ("ladder: [{command: {run: x, agent: §claud}}]", "`claude`?"),
    "full checkout without inputs": (
        "environments: {go: {prepare: x, checkout: §full}}",
        "name the files that decide under `inputs`",
    ),
    "unknown checkout": ("environments: {go: {prepare: x, checkout: §ful}}", "`full`?"),
    "checkout without prepare": (
        "environments: {go: {§checkout: inputs}}",
        "add `prepare`, or remove it",
    ),
    "network without prepare": ("environments: {go: {§network: [go]}}", "add `prepare`"),
    "network that is no name": (
        "environments: {go: {prepare: x, network: [§Go_1]}}",
        "lower-case letters",
    ),
    "inputs out of the repository": (
        "environments: {go: {prepare: x, inputs: [§../go.mod]}}",
        "name paths inside it",
    ),
    "writable with $ENV": ("environments: {go: {writable: [§$ENV/build]}}", "write `build`"),
    "writable that is all": ("environments: {go: {writable: [§.]}}", "name folders in it"),
    "writable out of the environment": ("environments: {go: {writable: [§../x]}}", "a path inside"),
    "mount that is relative": ("environments: {go: {mounts: [§cache]}}", "its whole path"),
    "mount over the tree": ("environments: {go: {mounts: [§/src/x]}}", "the sandbox's own"),
    "mount over the scratch folder": ("environments: {go: {mounts: [§/tmp]}}", "sandbox's own"),
    "mount of everything": ("environments: {go: {mounts: [§/]}}", "name one folder"),
    "placeholder in setup": ('environments: {go: {setup: "x §{files}"}}', "every task alike"),
    "placeholder in prepare": ('environments: {go: {prepare: "x §{task}"}}', "every task alike"),
    # splits
    "depth of a package split": ("split: {by: package, §depth: 2}", "write `by: directory`"),
    "root of a directory split": ("split: {§root: go.mod}", "write `by: package`"),
    "edges of an owner split": ("split: {by: owner, §edges: x}", "write `by: imports`"),
    "order of an import split": ("split: {by: imports, §order: sites}", "imports are the order"),
    "max_files of a file split": ("split: {by: file, §max_files: 5}", "remove it"),
    "max_files out of bounds": ("split: {max_files: §0}", "at least 1"),
    "root that is a path": ("split: {by: package, root: [§a/go.mod]}", "write the name alone"),
    "root that is a pattern": ("split: {by: package, root: [§'*.csproj']}", "write whole names"),
    "order that is no pattern": ("split: {order: [§./x]}", "write `/x`"),
    "unknown order": ("split: {order: §size}", "did you mean `sites`?"),
    "together without a group": (
        'split: {together: ["src/{m}.py", §tests]}',
        "write {m} for the part",
    ),
    "together with a glob": (
        'split: {together: [§"src/*/{m}.py", "tests/test_{m}.py"]}',
        "for each part that differs",
    ),
    "together of one": ('split: {together: [§"src/{m}.py"]}', "the other file's pattern"),
    "together with other groups": (
        'split: {together: ["src/{m}.py", §"tests/{name}.py"]}',
        "use {m} in each of them",
    ),
    "edges with a placeholder": (
        'split: {by: imports, edges: {run: "x §{files}"}}',
        "print the whole tree's",
    ),
    "edges in an unknown environment": (
        "split: {by: imports, edges: {run: x, in: §tol}}",
        "did you mean `tool`?",
    ),
    "edges without an environment": (
        "split: {by: imports, edges: §x}\nenvironments: {a: {requires: [git]}, b: {}}\n"
        "ladder: [{claude: {}}]\nchecks: {unit: {run: x, in: a}}",
        "add `in`: a, b",
    ),
    # the rules
    "unpinned pip package": (
        'environments: {tool: {python: "3.11", pip: [§pytest>=8]}}',
        "write name==version",
    ),
    "pip option": (
        'environments: {tool: {python: "3.11", pip: [§-r requirements.txt]}}',
        "name each package as name==version",
    ),
    "unpinned npm package": ("environments: {tool: {npm: [§lebab@^3.2.7]}}", "write name@1.2.3"),
    "pip without python": ("environments: {tool: {pip: §[pytest==8.3.5]}}", "add the version"),
    "unknown environment": ("checks: {unit: {run: x, in: §tol}}", "did you mean `tool`?"),
    "no environment defined": (
        'checks: {unit: {run: "x", in: §tol}}\nenvironments: {}',
        "define it under `environments`",
    ),
    "unknown check of a phase": (
        "phases: [{name: a, checks: [unit, §unti]}]",
        "did you mean `unit`?",
    ),
    "unknown placeholder": ('checks: {unit: {run: "x §{file}"}}', "write {{file}} for a literal"),
    "placeholder in quotes": ("ladder: [{codemod: fix '{files}§'}]", "value of `codemod`"),
    "placeholder in the shell's quotes": (
        "ladder:\n  - codemod: fix '§{files}'",
        "take the quotes away",
    ),
    "repeated word with a glob": ('checks: {unit: {run: "ls §{dirs}/*.py"}}', "loop over it"),
    "unknown way to apply": ("ladder: [{codemod: {run: x, apply: §onec}}]", "did you mean `once`?"),
    "once after another rung": (
        "ladder: [{claude: {}}, {codemod: {run: x, apply: §once}}]",
        "make it the first rung",
    ),
    "network of a codemod for every task": (
        "ladder: [{codemod: {run: x, §network: [go]}}]",
        "add `apply: once`",
    ),
    "network of a codemod that is no name": (
        "ladder: [{codemod: {run: x, apply: once, network: [§Go_1]}}]",
        "lower-case letters",
    ),
    "a resolver that writes": ("resolver: {§write: {src/x.py: y}}", "give a command"),
    "a resolver for all at once": (
        "resolver: {codemod: {run: x, apply: §once}}",
        "run for each task",
    ),
    "a resolver with an unknown placeholder": (
        'resolver: {command: "x §{file}"}',
        "write {{file}} for a literal",
    ),
    "a file that nobody may write": ("ladder: [{write: {docs/x: §y}}]", "add it to `creates`"),
    "exit that is no number": ("ladder: [{codemod: {run: x, exit: [§zero]}}]", "whole number"),
    "prompt file in a codemod": ("ladder: [{codemod: 'x §{prompt_file}'}]", "command rung"),
    "prompt in a check": ('checks: {unit: {run: "x §{prompt}"}}', "command rung"),
    "variable in a list command": (
        'checks: {unit: {run: [pytest, "--junitxml=§$RESULTS"], results: junit}}',
        "write `run` as text",
    ),
    "junit without results": (
        'checks: {unit: {run: §"pytest {files}", results: junit}}',
        "--junitxml=$RESULTS",
    ),
    "results never read": (
        'checks: {unit: §{run: "pytest --junitxml=$RESULTS {files}"}}',
        "add `results: junit`",
    ),
    "allow without ids": (
        "checks: {unit: {run: x, allow: §[{id: y, reason: z}]}}",
        "use results: junit, tap, go",
    ),
    "reports never read": (
        "checks: {unit: {run: x, results_from: §[a.xml]}}",
        "add `results: junit`",
    ),
    "unknown deep check": (
        "checks: {unit: {run: x}}\nlanding: {deep: [§unti]}",
        "did you mean `unit`?",
    ),
    "deep check that is waited for": (
        "checks: {unit: {run: x}, e2e: {run: x}}\nlanding: {checks: [unit, e2e], deep: [§e2e]}",
        "a batch waits for it, or it is deep",
    ),
    "deep check that does not run at landing": (
        "checks: {unit: {run: x}, e2e: {run: x, at: [end]}}\nlanding: {deep: [§e2e]}",
        "say `at: [landing]` under checks.e2e",
    ),
    "check at landing that nobody names": (
        "checks: {unit: {run: x}, e2e: {run: x}}\nlanding: {checks: §[unit]}",
        "add `e2e` to `checks` or `deep`",
    ),
    "budget of nothing": (
        "checks: {unit: {run: x}}\nlanding: {§budget: {reds: 2}}",
        "name checks in `deep`",
    ),
    "budget's age without a unit": (
        "checks: {unit: {run: x}, e2e: {run: x}}\nlanding: {deep: [e2e], budget: {age: §2hours}}",
        "such as 10m",
    ),
    "only deep checks": (
        "checks: §{unit: {run: x}}\nlanding: {deep: [unit]}",
        "leave it out of `landing: {deep: …}`",
    ),
    "bad pattern of what a check covers": (
        "checks: {unit: {run: x, covers: [§./a/**]}}",
        "write `/a/**`",
    ),
    "covers with exceptions only": (
        "checks: {unit: {run: x, covers: §['!/a/**']}}",
        "such as [/**, !/a/**]",
    ),
    "covers with choices": (
        "checks: {unit: {run: x, covers: [§'/{api,web}/**']}}",
        "write one pattern for each",
    ),
    "covers without a change to choose for": (
        "checks: {unit: {run: x}, e2e: {run: x, at: [end], covers: §[/a/**]}}",
        "every check runs, whatever changed",
    ),
    "bad pattern of reports": (
        "checks: {unit: {run: x, results: junit, results_from: [§./a.xml]}}",
        "write `/a.xml`",
    ),
    "unknown kind of results": ("checks: {unit: {run: x, results: §cargoo}}", "mean `cargo`?"),
    "unknown pattern of results": ("checks: {unit: {run: x, results: {§pas: x}}}", "`pass`?"),
    "no pattern that tells results": (
        "checks: {unit: {run: x, results: §{skip: '(?P<id>x)'}}}",
        "give pass, fail or count",
    ),
    "pattern without its group": (
        "checks: {unit: {run: x, results: {pass: §'ok (.*)'}}}",
        "write (?P<id>...) around what it is",
    ),
    "count without its group": (
        "checks: {unit: {run: x, results: {count: §'ran (?P<id>.*)'}}}",
        "write (?P<n>...) around what it is",
    ),
    "results pattern that does not compile": (
        "checks: {unit: {run: x, results: {fail: '§(?P<id>'}}}",
        "Python's syntax",
    ),
    "ids without results": (
        "checks: {unit: {run: x, ids: §[{replace: a, with: b}]}}",
        "use results: junit, tap, go",
    ),
    "replacement that is not compiled": (
        "checks: {unit: {run: x, results: tap, ids: [{replace: '§(', with: b}]}}",
        "Python's syntax",
    ),
    "replacement by an unknown group": (
        r"checks: {unit: {run: x, results: tap, ids: [{replace: '(a)', with: §'\2'}]}}",
        "known here: 1",
    ),
    "replacement without what to write": (
        "checks: {unit: {run: x, results: tap, ids: [§{replace: a}]}}",
        "`with` is missing",
    ),
    "placeholder without targets": ('checks: {unit: {run: §"x {targets}"}}', "[{from: ..., to:"),
    "targets without a placeholder": (
        "checks: {unit: {run: x, targets: §[{from: a, to: b}]}}",
        "put {targets} into `run`",
    ),
    "target of an unknown group": (
        'checks: {unit: {run: "x {targets}", targets: [{from: "(?P<m>.*)", to: "§{n}"}]}}',
        "known here: m",
    ),
    "test of an unknown group": (
        'checks: {unit: {run: "x {targets}", targets: [{from: "(.*)", to: a, exists: "§{n}"}]}}',
        "write (?P<name>...)",
    ),
    "source that does not compile": (
        'checks: {unit: {run: "x {targets}", targets: [{from: "§(", to: a}]}}',
        "Python's syntax",
    ),
    "target out of the repository": (
        'checks: {unit: {run: "x {targets}", targets: [{from: a, to: a, exists: §../a}]}}',
        "a path inside",
    ),
    "targets in a rung": ('ladder: [{codemod: "fix §{targets}"}]', "use {files} or {dirs}"),
    "expect beside a map of moments": (
        "checks: {unit: {run: x, at: {landing: pass}, §expect: pass}}",
        "say it for each moment",
    ),
    "unknown moment in a map": (
        "checks: {unit: {run: x, at: {§landin: pass, landing: pass}}}",
        "mean `landing`?",
    ),
    "unknown expectation of a moment": (
        "checks: {unit: {run: x, at: {landing: §pas}}}",
        "mean `pass`?",
    ),
    "same as an unknown check": (
        "checks: {unit: {run: x, results: tap, at: {landing: pass, end: {same_as: §unti}}}}",
        "mean `unit`?",
    ),
    "same as a check that has no results": (
        "checks: {unit: {run: x}, c: {run: x, results: tap, expect: {same_as: §unit}}}",
        "give `unit` results",
    ),
    "same as a check without a run on the base": (
        'checks: {unit: {run: "x {files}", results: tap},'
        " c: {run: x, results: tap, expect: {same_as: §unit}}}",
        "give `unit` a `whole`",
    ),
    "a task the same as a whole run": (
        'checks: {unit: {run: "x {files}", whole: x, results: tap,'
        " at: {landing: pass, task: §{same_as: unit}}}}",
        "at landing, phase or end",
    ),
    "only reported at landing by a map": (
        "checks: §{unit: {run: x, at: {landing: report, end: pass}}}",
        "other than report",
    ),
    "nothing runs at any moment": ("checks: §{unit: {run: x, at: []}}", "at: [task, landing]"),
    "batch of a check without a placeholder": (
        "checks: {unit: {run: x, batch: §5}}",
        "remove `batch`",
    ),
    "whole without a placeholder": (
        "checks: {unit: {run: pytest, whole: §tests}}",
        "put {files} or {dirs} into `run`",
    ),
    "otherwise whole without whole": (
        'checks: {unit: {run: "x {files}", otherwise: §whole}}',
        "add `whole`",
    ),
    "batch without a placeholder": ("ladder: [{codemod: {run: fix, batch: §5}}]", "put {files}"),
    "nothing checked at landing": ("checks: §{unit: {run: x, at: [task]}}", "at: [task, landing]"),
    "only reported at landing": ("checks: §{unit: {run: x, expect: report}}", "other than report"),
    "nothing of a phase checked at landing": (
        "phases: [{name: a, checks: §[c]}]\nchecks: {unit: {run: x}, c: {run: x, at: task}}",
        "at: [task, landing]",
    ),
    "codemod finder without a codemod": (
        "sites: {include: [/x], find: {codemod: §true}}\nladder: [{claude: {}}]",
        "put the codemod first",
    ),
    "regex that does not compile": (
        "sites: {include: [/x], find: {regex: 'self.assert§('}}",
        "a literal bracket is written",
    ),
    "regex over several lines": (
        r"sites: {include: [/x], find: {regex: 'a§\nb'}}",
        "use `command`",
    ),
    "keep that does not compile": ("keep: ['§(']", "Python's syntax"),
    "placeholder in a finder": (
        "sites: {include: [/x], find: {command: 'grep x §{files}'}}",
        "search the whole tree",
    ),
    "failing of an unknown check": (
        "sites: {include: [/x], find: {failing: §unti}}",
        "mean `unit`?",
    ),
    "failing of a check without a whole run": (
        "sites: {include: [/x], find: {failing: §unit}}",
        "give `unit` a `whole`",
    ),
    "syntax rule that is refused": (
        "sites: {include: [/x], find: {ast_grep: {rule: §{kindx: call}}}}",
        "expected one of `pattern`, `kind`",
    ),
    "syntax of an unknown kind": (
        "sites: {include: [/x], find: {ast_grep: {rule: §{kind: cal}, language: python}}}",
        "Kind `cal` is invalid",
    ),
    "syntax of an unknown language": (
        "sites: {include: [/x], find: {ast_grep: {rule: {kind: call}, language: §pyton}}}",
        "mean `python`?",
    ),
    "empty syntax": ('sites: {include: [/x], find: {ast_grep: §""}}', "such as old($A)"),
    "pattern with a dot": ("sites: {include: [§./src], find: {regex: x}}", "write `/src`"),
    "bad pattern": ("protect: [§'!']", "gitignore pattern"),
    "duplicate phase": ("phases: [{name: a}, {name: §a}]", "a name of its own"),
    "phase without a ladder": (
        "phases: [§{name: a}]\n-ladder",
        "say how a task is done",
    ),
    "absolute path to write": ("ladder: [{write: {§/etc/x: y}}]", "write `etc/x`"),
    "path out of the repository": ("ladder: [{write: {§a/../../x: y}}]", "name a path inside"),
    "creates out of the repository": ("creates: [§../x]", "name paths inside it"),
    "folder out of the repository": ("checks: {unit: {run: x, dir: §../x}}", "a path inside"),
    "branch that git refuses": ("delivery: {branch: §a..b}", "whimbrel/httpx"),
    "branch that is the base": ("delivery: {branch: §main}", "name another one"),
    "base that git refuses": ("base: §-main", "use a name such as"),
    "variable that is taken": ("checks: {unit: {run: x, env: {§RESULTS: y}}}", "another name"),
    "variable's name": ("checks: {unit: {run: x, env: {§A-B: y}}}", "use letters, digits and _"),
    "variable in a value": ('checks: {unit: {run: x, env: {A: "§$PATH:x"}}}', "use `path`"),
    "unknown variable": ("objective: Better §{vars.src}", "define it under `vars`"),
    "list variable in a text": (
        "objective: Better §{vars.many}\nvars: {many: [a, b]}",
        "as an item of its own",
    ),
    "variable in a variable": ('vars: {a: x, b: "§{vars.a}"}', "write its value out"),
    "list in a list of variables": ('vars: {a: [x], b: ["§{vars.a}"]}', "write its value out"),
}


@pytest.mark.parametrize(("changes", "advice"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_once_at_its_place_with_what_to_do(changes: str, advice: str) -> None:
    assert_told(changes, advice)
