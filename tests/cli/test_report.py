"""report.html of a run, in headless Chromium: it works from disk, alone, and can be used."""
import base64
import csv
import json
import re
import shutil
import time

import pytest
from conftest import Study

QUICK = ("statistics: {permutations: 19, bootstraps: 10}\n"
         "regression: {trees: 8, seeds: 2, subsets: 2, subset_size: 10, half_samples: 4, permutations: 3, spatial_folds: 3}\n"
         "figures: {which: [fig1b, segmentation, fig3a], formats: [svg]}\n")
STAGES = "[volume, segmentation, attributes, regression, figures]"
WEBGL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NO_WEBGL = ["--disable-gpu", "--disable-3d-apis"]


@pytest.fixture(scope="module")
def run(tmp_path_factory, cathoscope):
    """A finished small study with its report."""
    study = Study(tmp_path_factory.mktemp("report"), cathoscope)
    study.write(more=QUICK, stages=STAGES)
    result = study.run("--threads", 2, timeout=400)
    assert result.returncode == 0, result.stderr
    return study


@pytest.fixture(scope="module")
def page(run):
    return run.output / "report.html"


class Browser:
    """Chromium on one page."""

    def __init__(self, flags, size=(1280, 1000), dark=False, script=True):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--window-size={size[0]},{size[1]}", *flags]:
            options.add_argument(flag)
        if not script:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_script_timeout(120)
        if size[0] < 500:  # a window cannot be that narrow
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": True})
        if dark:
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def open(self, path):
        self.driver.get(path.as_uri())
        return self.wait("document.documentElement.dataset.ready")

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def wait(self, expression, seconds=120):
        """The expression's value once it is true; a busy machine draws slowly without a graphics card."""
        end = time.time() + seconds
        while time.time() < end:
            if value := self.js(f"return {expression}"):
                return value
            time.sleep(0.1)
        raise AssertionError(f"{expression} stayed false for {seconds} s")

    def find(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def complaints(self):
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] in ("SEVERE", "ERROR")]

    def pixels(self, canvas):
        """The canvas once what changed is drawn: how many colours it has, and a number that tells pictures apart."""
        return self.driver.execute_async_script("""
          const done = arguments[arguments.length - 1];
          requestAnimationFrame(() => requestAnimationFrame(() => {
          const from = document.getElementById(arguments[0]), to = document.createElement("canvas");
          to.width = from.width; to.height = from.height;
          const context = to.getContext("2d");
          context.drawImage(from, 0, 0);
          const data = context.getImageData(0, 0, to.width, to.height).data, seen = new Set();
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) {
            seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            sum = (sum * 31 + data[i] + 7 * data[i + 1] + 13 * data[i + 2]) % 1000000007;
          }
          done({colours: seen.size, sum});
          }));""", canvas)

    def colour_at(self, canvas, across, down):
        """Red, green, blue of a point of the canvas once what changed is drawn."""
        self.pixels(canvas)
        return self.js("""
          const from = document.getElementById(arguments[0]), to = document.createElement("canvas");
          to.width = from.width; to.height = from.height;
          const context = to.getContext("2d");
          context.drawImage(from, 0, 0);
          return [...context.getImageData(arguments[1] * to.width, arguments[2] * to.height, 1, 1).data].slice(0, 3);""",
                       canvas, across, down)

    def point(self, canvas, across, down):
        """A mouse on a point of the canvas, 0 to 1 from its corner; returns the chain of actions."""
        from selenium.webdriver import ActionChains
        element = self.find(canvas)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        box = element.rect
        return ActionChains(self.driver).move_to_element_with_offset(
            element, round((across - 0.5) * box["width"]), round((down - 0.5) * box["height"]))

    def choose(self, selector, value):
        self.js("const e = document.querySelector(arguments[0]); e.value = arguments[1];"
                "e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change'));", selector, value)


@pytest.fixture(scope="module")
def start():
    """start(flags, ...) is a Browser, closed at the end."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("chromium and chromium-driver are not installed")
    pytest.importorskip("selenium", reason="python3-selenium is not installed")
    opened = []

    def make(*args, **options):
        opened.append(Browser(*args, **options))
        return opened[-1]

    yield make
    for browser in opened:
        browser.driver.quit()


@pytest.fixture(scope="module")
def shown(start, page):
    """The page, opened with WebGL."""
    browser = start(WEBGL)
    assert browser.open(page) == "true"
    return browser


def particles(run):
    with open(run.output / "e1/attributes.csv", newline="") as f:
        return {row["label"]: row for row in csv.DictReader(f)}


def test_it_opens_without_complaint_and_asks_for_nothing(shown, page):
    assert shown.complaints() == []
    asked = [json.loads(entry["message"])["message"] for entry in shown.driver.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"}
    assert {u for u in urls if not u.startswith(("data:", "blob:"))} == {page.as_uri()}


def test_it_is_small_and_whole(page):
    text = page.read_text()
    assert len(text.encode()) <= 5_000_000
    assert text.rstrip().endswith("</html>")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)


def test_the_surfaces_are_drawn_and_a_drag_turns_them(shown):
    assert int(shown.js("return document.getElementById('scene').dataset.triangles")) > 1000
    before = shown.pixels("scene")
    assert before["colours"] > 50  # shaded surfaces, not a blank canvas
    shown.point("#scene", 0.3, 0.5).click_and_hold().move_by_offset(90, 20).release().perform()
    assert shown.pixels("scene")["sum"] != before["sum"]
    shown.find("#reset-view").click()
    assert shown.pixels("scene")["sum"] == before["sum"]


def test_keys_turn_and_zoom(shown):
    from selenium.webdriver.common.keys import Keys
    canvas = shown.find("#scene")
    before = shown.pixels("scene")["sum"]
    canvas.send_keys(Keys.ARROW_LEFT)
    turned = shown.pixels("scene")["sum"]
    assert turned != before
    canvas.send_keys("+")
    assert shown.pixels("scene")["sum"] != turned
    shown.find("#reset-view").click()


def check_picked(shown, run):
    """What the page shows of the picked particle is what the table says, to the five digits that the page has."""
    label = shown.js("return document.getElementById('picked').dataset.label")
    assert label, "nothing was picked"
    row = particles(run)[label]
    values = shown.js("return Object.fromEntries([...document.querySelectorAll('#picked tbody tr')]"
                      ".map(r => [r.cells[0].textContent, r.cells[1].textContent]))")
    assert set(values) == set(json.loads((run.output / "units.json").read_text()))
    for name, value in values.items():
        if row[name] == "":
            assert value == ""
        else:
            assert float(value) == pytest.approx(float(row[name]), rel=1e-4)
    return label


def test_a_click_in_space_picks_a_particle(shown, run):
    shown.point("#scene", 0.5, 0.5).click().perform()
    check_picked(shown, run)
    red, green, blue = shown.colour_at("scene", 0.5, 0.5)  # what is picked turns orange, and it is what was clicked
    assert red > 1.5 * green and red > 1.5 * blue
    shown.point("#scene", 0.01, 0.01).click().perform()
    assert shown.js("return document.getElementById('picked').dataset.label") == ""


def test_a_click_in_the_slice_picks_the_particle_there(shown, run):
    shown.choose("#pick-axis", "0")
    for across in (0.2, 0.5, 0.8):  # one of them lies in a ball
        shown.point("#slice", across, across).click().perform()
        if shown.js("return document.getElementById('picked').dataset.label"):
            break
    label = check_picked(shown, run)
    row = particles(run)[label]
    # The ball's centre is within its radius (6 voxels of 0.2 um) and half a slice of where the click was.
    place = shown.js("return document.getElementById('slice-place').textContent")
    assert abs(float(row["Z"]) - float(re.search(r"= ([\d.]+)", place)[1])) <= 6 * 0.2 + 0.2


def test_shap_values_are_shown_and_add_up(shown, run):
    with open(run.output / "e1/shap.csv", newline="") as f:
        shap = next(csv.DictReader(f))
    shown.js("[...document.querySelectorAll('.particles-table tbody button')].find(b => b.textContent === arguments[0]).click()",
             shap["label"])
    shown.wait(f"document.getElementById('picked').dataset.label === '{shap['label']}'")
    terms = shown.js("return [...document.querySelectorAll('#picked tbody tr')].map(r => r.cells[3].textContent)"
                     ".filter(t => t !== '').map(Number)")
    names = [n for n in shap if n not in ("label", "expected_value", "prediction")]
    assert len(terms) == len(names)
    # Two digits a term are shown.
    assert sum(terms) == pytest.approx(float(shap["prediction"]) - float(shap["expected_value"]),
                                       abs=0.05 * sum(map(abs, terms)) + 1e-9)
    assert shown.js("return document.querySelectorAll('.particles-table tr.chosen').length") == 1


def test_slice_cut_and_colour_change_what_is_seen(shown):
    slices, scenes = {shown.pixels("slice")["sum"]}, {shown.pixels("scene")["sum"]}
    shown.choose("#pick-slice", "3")
    slices.add(shown.pixels("slice")["sum"])
    shown.find("#pick-cut").click()
    scenes.add(shown.pixels("scene")["sum"])
    shown.choose("#pick-axis", "1")
    slices.add(shown.pixels("slice")["sum"])
    scenes.add(shown.pixels("scene")["sum"])
    shown.find("#pick-cut").click()
    shown.choose("#pick-attribute", "Volume")
    scenes.add(shown.pixels("scene")["sum"])
    assert len(slices) == 3
    assert len(scenes) == 4
    assert "µm³" in shown.js("return document.getElementById('legend-high').textContent")
    shown.choose("#pick-attribute", "Damage")


def listed(shown, column):
    return shown.js("return [...document.querySelectorAll('.particles-table tbody tr')].map(r => r.cells[arguments[0]].textContent)",
                    column)


def test_particles_are_sorted_and_searched_with_the_keyboard(shown, run):
    from selenium.webdriver.common.keys import Keys
    header = shown.js("return [...document.querySelectorAll('.particles-table th button')].find(b => b.textContent === 'Damage')")
    column = shown.js("return arguments[0].parentNode.cellIndex", header)
    header.send_keys(Keys.ENTER)
    rising = [float(v) for v in listed(shown, column) if v]
    assert rising == sorted(rising)
    assert shown.js("return arguments[0].parentNode.getAttribute('aria-sort')", header) == "ascending"
    header.send_keys(Keys.ENTER)
    falling = [float(v) for v in listed(shown, column) if v]
    assert falling == sorted(falling, reverse=True)
    search = shown.find(".particles-table input[type=search]")
    limit = sorted(float(r["Damage"]) for r in particles(run).values())[-3]
    search.send_keys(f"Damage >= {limit - 1e-4:.5f}")
    expected = sum(float(r["Damage"]) >= limit - 1e-4 for r in particles(run).values())
    assert len(listed(shown, 0)) == expected < len(particles(run))
    search.clear()
    search.send_keys("Volume < -1")
    assert listed(shown, 0) == []
    search.clear()
    search.send_keys(" ")
    assert len(listed(shown, 0)) > expected


def test_result_tables_are_sorted_and_searched(shown):
    table = "[...document.querySelectorAll('table.sortable')].find(t => t.caption.textContent.startsWith('Contributions'))"
    shown.js(f"{table}.querySelectorAll('th button')[2].click(); {table}.querySelectorAll('th button')[2].click()")
    scores = [float(v) for v in shown.js(f"return [...{table}.tBodies[0].rows].map(r => r.cells[2].dataset.v)")]
    assert len(scores) > 5 and scores == sorted(scores, reverse=True)
    shown.js(f"const s = {table}.closest('.scroll').previousElementSibling.querySelector('input');"
             "s.value = 'neighbourhood'; s.dispatchEvent(new Event('input'));")
    groups = shown.js(f"return [...{table}.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[1].textContent)")
    assert groups and set(groups) == {"neighbourhood"}


def test_figures_are_seen_and_missing_ones_explained(shown):
    shown.wait("[...document.querySelectorAll('.figure img')].every(i => i.complete && i.naturalWidth > 0)")
    assert shown.js("return document.querySelectorAll('.figure img').length") == 2
    missing = shown.find("#figures table").text
    assert "fig3a" in missing and "chemomechanics" in missing


def test_without_webgl_there_are_still_pictures_and_slices(start, page):
    browser = start(NO_WEBGL)
    assert browser.open(page) == "true"
    assert browser.find("#stills img").is_displayed()
    assert browser.js("return document.querySelector('#stills img').naturalWidth") > 100
    assert browser.find("#no-webgl").is_displayed()
    assert not browser.find("#scene").is_displayed()
    assert browser.pixels("slice")["colours"] >= 5  # two greys, with and without tint, and outlines
    assert browser.complaints() == []


def test_without_scripts_the_summary_and_pictures_stand(start, page):
    browser = start(NO_WEBGL, script=False)
    browser.driver.get(page.as_uri())
    assert browser.find("#stills img").is_displayed()
    assert "Mean damage" in browser.find("#summary").text
    assert browser.find("table.sortable").is_displayed()


def test_dark_and_narrow(start, page):
    browser = start(WEBGL, size=(400, 800), dark=True)
    assert browser.open(page) == "true"
    assert browser.js("return document.documentElement.scrollWidth") <= 400  # only tables scroll sideways, in their boxes
    ground = browser.js("return getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground)[:3])) < 60
    assert browser.pixels("scene")["colours"] > 50


def test_everything_that_acts_has_a_name_and_takes_the_focus(shown):
    unnamed = shown.js("""return [...document.querySelectorAll("a, button, input, select, canvas")].filter(e =>
        e.tabIndex < 0 || !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.getAttribute("aria-describedby")))
        .map(e => e.outerHTML.slice(0, 80))""")
    assert unnamed == []


def test_it_prints(shown):
    pdf = base64.b64decode(shown.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 60


def outside_provenance(path):
    text = path.read_text()
    start, end = text.index("<!-- provenance -->"), text.index("<!-- end of provenance -->")
    return text[:start] + text[end:]


def test_the_bytes_do_not_depend_on_threads(run, page, tmp_path):
    again = run.run("--output", tmp_path / "again", "--threads", 1, timeout=400)
    assert again.returncode == 0, again.stderr
    assert outside_provenance(tmp_path / "again/report.html") == outside_provenance(page)


def test_nothing_new_writes_nothing_and_a_lost_page_comes_back(run, page):
    before = page.stat().st_mtime_ns
    assert run.run().returncode == 0
    assert page.stat().st_mtime_ns == before
    text = outside_provenance(page)
    page.unlink()
    result = run.run()
    assert result.returncode == 0 and "figures (report): running" in result.stderr
    assert outside_provenance(page) == text


def test_what_did_not_run_is_listed(cathoscope, tmp_path):
    study = Study(tmp_path, cathoscope)
    study.write(stages="[volume, segmentation, attributes, figures]", more="figures: {which: [fig1b], formats: [svg]}\n")
    result = study.run(timeout=400)
    assert result.returncode == 0, result.stderr
    text = (study.output / "report.html").read_text()
    assert "Stages that this report is without" in text
    assert "<b>regression</b>" in text
    assert "No regression in this run" in text
