"""What models may cost at most, for people who decide before anything of it is measured. Pure."""

from activities.contracts.spec import MigrationSpec, Phase


def at_most(spec: MigrationSpec, phase: Phase) -> str:
    """By the caps; empty: the phase's tasks ask no model."""
    if not any(way.claude for way in phase.ways):
        return ""
    whole, each = spec.limits.usd, spec.limits.task_usd
    if whole is not None:
        share = "" if each is None else f", {each:.2f} a task"
        return f"models may cost at most {whole:.2f} USD{share}"
    if each is not None:
        return f"models may cost at most {each:.2f} USD a task"
    return "what models may cost has no cap: `limits.usd` sets one"
