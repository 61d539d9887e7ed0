"""Outlines of the languages that migrations meet."""

import pytest

from activities.adapters.tool_outline import outline_of
from activities.adapters.tool_text import Refused

SOURCES = {
    "a.py": (
        "import os\n\n\nclass A:\n    @property\n    def b(self):\n        def c(): ...\n\n\n"
        "async def d():\n    pass\n",
        ["4-7 class A:", "6-7 def b(self):", "7-7 def c(): ...", "10-11 async def d():"],
    ),
    "a.js": (
        "export class A {\n  b() {}\n}\nfunction c() {}\nexport const d = () => {\n};\n",
        ["1-3 export class A {", "2-2 b() {}", "4-4 function c() {}"],
    ),
    "a.ts": (
        "export interface A {\n  b: string\n}\ntype C = string\nenum D { E }\n"
        "abstract class F {\n  g(): void {}\n}\nnamespace N {\n  export function h() {}\n}\n",
        ["1-3 export interface A {", "4-4 type C = string", "5-5 enum D { E }",
         "6-8 abstract class F {", "7-7 g(): void {}", "9-11 namespace N {",
         "10-10 export function h() {}"],
    ),
    "a.tsx": ("function A() {\n  return <b/>\n}\n", ["1-3 function A() {"]),
    "a.go": (
        "package a\n\ntype A struct {\n\tb int\n}\n\nfunc (a *A) C() {\n}\n\nfunc D() {}\n",
        ["3-5 type A struct {", "7-8 func (a *A) C() {", "10-10 func D() {}"],
    ),
    "A.java": (
        "class A {\n  A() {}\n  int b() { return 1; }\n  enum C { D }\n}\ninterface E {\n"
        "  void f();\n}\nrecord G(int h) {}\n",
        ["1-5 class A {", "2-2 A() {}", "3-3 int b() { return 1; }", "4-4 enum C { D }",
         "6-8 interface E {", "7-7 void f();", "9-9 record G(int h) {}"],
    ),
    "a.rs": (
        "mod m {\n    pub struct A;\n}\nimpl m::A {\n    fn b(&self) {}\n}\ntrait C {\n"
        "    fn d();\n}\nmacro_rules! e { () => {} }\n",
        ["1-3 mod m {", "2-2 pub struct A;", "4-6 impl m::A {", "5-5 fn b(&self) {}",
         "7-9 trait C {", "8-8 fn d();", "10-10 macro_rules! e { () => {} }"],
    ),
    "a.c": (
        "struct a {\n  int b;\n};\nstatic struct a *c(struct a *d) {\n  return d;\n}\n"
        "typedef int e;\nenum f { G };\n",
        ["1-3 struct a {", "4-6 static struct a *c(struct a *d) {", "7-7 typedef int e;",
         "8-8 enum f { G };"],
    ),
    "a.cpp": (
        "namespace n {\nclass A {\n  void b() {}\n};\n}\nint c() { return 1; }\n",
        ["1-5 namespace n {", "2-4 class A {", "3-3 void b() {}", "6-6 int c() { return 1; }"],
    ),
    "a.rb": ("module M\n  class A\n    def b\n    end\n  end\nend\n",
             ["1-6 module M", "2-5 class A", "3-4 def b"]),
    "a.cs": ("class A {\n  void B() {}\n}\n", ["1-3 class A {", "2-2 void B() {}"]),
    "a.kt": ("class A {\n  fun b() {}\n}\n", ["1-3 class A {", "2-2 fun b() {}"]),
    "a.php": ("<?php\nclass A {\n  function b() {}\n}\n",
              ["2-4 class A {", "3-3 function b() {}"]),
}  # fmt: skip


@pytest.mark.parametrize("path", SOURCES)
def test_an_outline_has_what_a_file_defines_with_its_lines(path: str):
    source, wanted = SOURCES[path]
    lines = outline_of(path, source.encode()).splitlines()
    assert [" ".join(line.split()) for line in lines] == wanted


def test_what_is_inside_another_definition_stands_under_it():
    source = b"class A:\n    def b(self): ...\ndef c(): ...\n"
    lines = outline_of("a.py", source).splitlines()
    indents = [len(line[14:]) - len(line[14:].lstrip()) for line in lines]
    assert indents == [0, 2, 0]


@pytest.mark.parametrize("source", [b"", b"x = 1\n", b"\xff\xfe(((", b"def " * 10_000])
def test_a_file_that_defines_nothing_or_is_broken_breaks_nothing(source: bytes):
    assert "use `read`" in outline_of("a.py", source) or "def" in outline_of("a.py", source)


def test_there_are_bounds():
    many = outline_of("a.py", b"def f(): ...\n" * 1_000)
    assert many.splitlines()[-1] == "[cut: 400 more definitions; use `search`]"
    with pytest.raises(Refused, match="too large to parse"):
        outline_of("a.py", b"#" * (6 << 20))
