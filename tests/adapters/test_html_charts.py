"""The curves of the HTML report: steps where something landed, readable and bounded."""

import re
from xml.etree import ElementTree

from report_pages import a_story, landing

from activities.adapters.html_charts import MOST_POINTS, charts
from activities.adapters.html_report import render_html


def test_the_charts_are_drawings_with_labelled_axes_and_words_for_who_cannot_see_them() -> None:
    html = render_html(a_story())
    drawings = [
        ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    ]
    told = [[node.text for node in drawing.iter() if node.text] for drawing in drawings]
    assert [texts[0].strip() for texts in told if texts[0]] == ["", ""]
    assert [drawing.attrib["role"] for drawing in drawings] == ["img", "img"]
    files, sites = told
    assert files[1:3] == [
        "Files landed over time",
        "9 file changes landed in 2 commits; half of them by 2 minutes after the start",
    ]
    assert sites[1:3] == [
        "Sites left over time",
        "from 20 sites to 2; between the surveys by what landed",
    ]
    assert {"minutes since the start", "files landed", "0", "10"} <= set(files)
    assert {"minutes since the start", "sites left", "20"} <= set(sites)


def test_curves_step_where_something_landed_and_end_where_the_surveys_do() -> None:
    files, sites = charts(a_story())
    # Ten minutes are 366 wide; 10 files and 20 sites are 188 high.
    assert files.path == "M58.0,204.0H131.2V91.2H241.0V34.8H424.0"
    # c1-0001 and c1-0002 had six sites each; three files of four of c1-0003's six.
    assert sites.path == "M58.0,16.0H131.2V128.8H241.0V171.1H424.0V185.2H424.0"
    assert [tick.label for tick in files.across] == ["0", "5", "10"]


def test_a_long_curve_is_thinned_and_no_curve_is_drawn_of_nothing() -> None:
    many = tuple(landing(n % 60, 1) for n in range(5000))
    files, _ = charts(a_story(landings=many))
    assert files.path.count("H") <= MOST_POINTS + 2
    assert not files.dots
    assert charts(a_story(landings=())) == []
    assert charts(a_story(started_at="")) == []
    assert len(charts(a_story(sites_at_start=0))) == 1
    same = a_story(finished_at="2026-01-01T00:00:00+00:00", landings=(landing(0, 1),))
    assert charts(same)[0].path.endswith("H424.0")
