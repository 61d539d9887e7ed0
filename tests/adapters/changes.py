"""Changes as paths with what they hold before and after, and what the gate says of them.

None is a file that is not there. Every path is claimed: only the other rules can speak.
"""

import hashlib
from collections.abc import Mapping

from activities.adapters.gate import GateRules, violations
from activities.adapters.integrity_around import Tree
from activities.adapters.objects import ABSENT, DiffEntry
from activities.contracts.integrity import Waiver

Content = str | bytes | None
Change = Mapping[str, tuple[Content, Content]]
FILE = "100644"
NOTHING: Mapping[str, str] = {}


def told(change: Change, *waivers: Waiver, beside: Mapping[str, str] = NOTHING) -> list[str]:
    """What the gate says of a change; `beside`: what is in its base too."""
    tree = {**beside, **{path: old for path, (old, _) in change.items() if old is not None}}
    base = Tree(lambda path: _bytes(tree.get(path)), lambda: [*tree])
    blobs: dict[str, bytes] = {}
    entries: list[DiffEntry] = []
    for path, (old, new) in change.items():
        status = "A" if old is None else "D" if new is None else "M"
        modes = [FILE if content is not None else ABSENT for content in (old, new)]
        entries.append(DiffEntry(status, path, *modes, _blob(old, blobs), _blob(new, blobs)))
    rules = GateRules(waivers=waivers)
    found = violations(entries, list(change), (), rules, blobs.__getitem__, base)
    return [str(violation) for violation in found]


def broken(change: Change, *waivers: Waiver, beside: Mapping[str, str] = NOTHING) -> list[str]:
    """`rule:path:line` of each violation; the rest is for people."""
    said = told(change, *waivers, beside=beside)
    return [line.partition(": ")[0] + ":" + line.split(": ")[1] for line in said]


def _blob(content: Content, blobs: dict[str, bytes]) -> str:
    data = _bytes(content)
    if data is None:
        return "0" * 40
    name = hashlib.sha1(data).hexdigest()
    blobs[name] = data
    return name


def _bytes(content: Content) -> bytes | None:
    return content.encode() if isinstance(content, str) else content


PY = """\
import pytest


class TestPrice:
    def test_cheap(self):
        assert price(1) == 1

    @pytest.mark.parametrize("n", [1, 2])
    def test_dear(self, n):
        \"\"\"It has a docstring: def test_no(self): assert False.\"\"\"
        assert price(n) == n
        assert n


def test_free():
    with pytest.raises(ValueError):
        price(0)
"""
JS = """\
describe('price', () => {
  it('is cheap', () => {
    expect(price(1)).toBe(1); // it('no', () => {})
  });
  test("is dear", async function () {
    assert.equal(await price(2), 2);
  });
});
"""
GO = """\
package price

func TestCheap(t *testing.T) {
\tif Price(1) != 1 {
\t\tt.Errorf("func TestNo(t *testing.T) {")
\t}
}

func (s *Suite) TestDear() {
\trequire.Equal(s.T(), 2, Price(2))
}
"""
RUST = """\
pub fn price(n: u32) -> u32 { assert!(n > 0); n }

#[cfg(test)]
mod tests {
    #[test]
    fn cheap() {
        assert_eq!(price(1), 1);
    }

    #[tokio::test]
    async fn dear() {
        assert_eq!(price(2), 2, "#[test]\\nfn no() {}");
    }
}
"""
JAVA = """\
class PriceTest {
    @Test
    public void cheap() throws Exception {
        assertEquals(1, price(1));
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(ints = {1, 2})
    void dear(int n) {
        assertThat(price(n)).isEqualTo(n);
    }
}
"""
SOURCES = {
    "tests/test_price.py": PY,
    "src/price.test.ts": JS,
    "price/price_test.go": GO,
    "src/lib.rs": RUST,
    "src/test/java/PriceTest.java": JAVA,
}
PYTHON, SCRIPT, GOLANG, CARGO, JUNIT = SOURCES
RAISES = "with pytest.raises(ValueError):\n        price(0)"
HAND_WRITTEN = 'if Price(1) != 1 {\n\t\tt.Errorf("func TestNo(t *testing.T) {")\n\t}'
