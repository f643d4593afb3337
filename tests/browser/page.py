# SPDX-License-Identifier: MIT
"""page.py PAGES SHOTS: the pages of ramet bench in headless Chromium, as TAP.

Needs chromedriver and nothing but Python's own library. PAGES has KIND.html, KIND.json and
KIND.svg; screenshots go to SHOTS. Pages come from a server here, so that whatever a page would
fetch, its icon included, is seen by the server, by the browser's log, or by both.
"""

import base64
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

PAGES, SHOTS = sys.argv[1:3]
KINDS = ["plain", "evil", "single", "no-axis", "counts", "nothing"]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + os.path.join(PAGES, "profile"),
]
WIDE, NARROW = (1100, 900), (360, 740)

count = failed = 0


def ok(good, name, *details):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name.replace('#', ' ')}")
    if not good:
        for detail in details:
            print("# " + str(detail).replace("\n", "\n# ")[:2000])
    sys.stdout.flush()
    return good


def same(got, want, name):
    return ok(got == want, name, f"got  {got!r}", f"want {want!r}")


# ---- The server: it remembers what it was asked for


class Handler(http.server.SimpleHTTPRequestHandler):
    asked = []

    def __init__(self, *args):
        super().__init__(*args, directory=PAGES)

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def send_error(self, code, message=None, explain=None):
        # A bare SVG cannot say that it has no icon: no error for that.
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().send_error(code, message, explain)

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_):
        pass


# ---- The browser


class Browser:
    def __init__(self):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True)
        self.session = None
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.base = f"http://127.0.0.1:{line.strip().rstrip('.').split()[-1]}/session"
                break
        threading.Thread(target=self.driver.stdout.read, daemon=True).start()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def begin(self):
        value = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": FLAGS},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}})
        self.session = "/" + value["sessionId"]
        self.version = value["capabilities"]["browserVersion"]
        self.load("about:blank")  # what it showed first fetched parts of its own

    def end(self):
        try:
            if self.session:
                self.call("DELETE", self.session)
        except (OSError, urllib.error.URLError):
            pass
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.driver.pid, number)
                self.driver.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        # Its processes end a little later than it says, and write to the folder until then.
        for _ in range(50):
            if not any(self.is_ours(pid) for pid in os.listdir("/proc") if pid.isdigit()):
                return
            time.sleep(0.1)

    @staticmethod
    def is_ours(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return f"--user-data-dir={PAGES}/profile".encode() in file.read()
        except OSError:
            return False

    def cdp(self, command, **params):
        return self.call("POST", self.session + "/goog/cdp/execute",
                         {"cmd": command, "params": params})

    def run(self, script, *args):
        return self.call("POST", self.session + "/execute/sync",
                         {"script": script, "args": list(args)})

    def log(self, kind):
        return self.call("POST", self.session + "/se/log", {"type": kind})

    def screen(self, size, scheme):
        width, height = size
        phone = size == NARROW
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=phone)
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])

    def load(self, url):
        self.call("POST", self.session + "/url", {"url": url})

    def shot(self, name, whole=False):
        params = {}
        if whole:
            size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
            params = {"captureBeyondViewport": True, "clip": {**size, "scale": 1}}
        image = self.cdp("Page.captureScreenshot", format="png", **params)["data"]
        with open(os.path.join(SHOTS, name + ".png"), "wb") as out:
            out.write(base64.b64decode(image))

    def mouse(self, x, y):
        self.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.cdp("Input.dispatchKeyEvent", type=kind, key=key)

    def tap(self, x, y):
        self.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


# ---- What the page should say


def number(value):
    if value != 0 and abs(value) < 0.0995:
        return f"{value:.2g}"
    return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f}"


def unit_of(us):
    for unit, name in ((1e6, "s"), (1e3, "ms"), (1, "µs"), (1e-3, "ns")):
        if us >= unit * 0.9995:
            break
    return unit, name


def cells(name, point):
    unit, unit_name = unit_of(point["median_us"])
    spread = [] if point["p10_us"] is None else [point["p10_us"], point["p90_us"]]
    return [name, f"{number(point['median_us'] / unit)} {unit_name}",
            " to ".join(number(us / unit) for us in spread)]


def wanted_rows(data, index, hidden=()):
    rows = [(s["points"][index], s["name"]) for i, s in enumerate(data["series"])
            if s["points"][index]["median_us"] is not None and i not in hidden]
    rows.sort(key=lambda row: -row[0]["median_us"])
    return [cells(name, point) for point, name in rows]


def without_samples(data):
    for series in data["series"]:
        for point in series["points"]:
            point.pop("samples_us", None)
    return data


CROSSES = """
const svg = [...document.querySelectorAll('svg.plot')].find((s) => s.getClientRects().length);
svg.scrollIntoView({ block: 'center' });
const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
return [...svg.querySelectorAll('.cross')].map((c) => [Number(c.dataset.x),
	box.left + c.getBBox().x * scale, box.top + (c.getBBox().y + 60) * scale]);
"""
TIP = """
const tip = document.getElementById('tip');
return tip.hidden ? null : [...tip.querySelectorAll('tr')].map((row) =>
	[...row.children].map((cell) => cell.textContent));
"""
LOOKS = """
const style = getComputedStyle(document.body), root = document.documentElement;
const svg = [...document.querySelectorAll('svg.plot')].filter((s) => s.getClientRects().length);
return {
	ground: style.backgroundColor, ink: style.color, width: root.scrollWidth,
	window: innerWidth, plots: svg.length,
	text: svg.length ? Math.min(...[...svg[0].querySelectorAll('text')].map((t) =>
		parseFloat(getComputedStyle(t).fontSize) *
		svg[0].getBoundingClientRect().width / svg[0].viewBox.baseVal.width)) : 0,
	outside: svg.length ? [...svg[0].querySelectorAll('text')].filter((t) => {
		const a = t.getBoundingClientRect(), b = svg[0].getBoundingClientRect();
		return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 ||
			a.bottom > b.bottom + 1;
	}).map((t) => t.textContent) : [],
};
"""


def brightness(color):
    red, green, blue = (int(c) for c in color[color.index("(") + 1:-1].split(",")[:3])
    return red * 0.3 + green * 0.6 + blue * 0.1


def check_quiet(browser, name, url):
    """Nothing on the console, nothing fetched but the page."""
    same(browser.log("browser"), [], f"{name}: nothing on the console")
    requests = [m["params"]["request"]["url"]
                for m in (json.loads(e["message"])["message"] for e in browser.log("performance"))
                if m["method"] == "Network.requestWillBeSent"]
    same([r for r in requests if not r.startswith("data:")], [url],
         f"{name}: the browser asked for the page alone")
    same(Handler.asked, [url[url.rindex("/"):]], f"{name}: the server was asked for the page alone")


def check_looks(browser, name, scheme):
    looks = browser.run(LOOKS)
    dark = scheme == "dark"
    ok((brightness(looks["ground"]) < 60) == dark and (brightness(looks["ink"]) > 180) == dark,
       f"{name}: colours of the scheme", looks)
    ok(looks["width"] <= looks["window"], f"{name}: no sideways scrolling", looks)
    same(looks["plots"], 1, f"{name}: one plot is shown")
    ok(looks["text"] >= 10, f"{name}: its text can be read", looks)
    same(looks["outside"], [], f"{name}: none of its text is cut")


def check_all(browser, base):
    for kind in KINDS:
        for size, scheme in ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")):
            name = f"{kind} {size[0]} {scheme}"
            Handler.asked.clear()
            browser.log("browser"), browser.log("performance")
            browser.screen(size, scheme)
            browser.load(f"{base}/{kind}.html")
            time.sleep(0.1)
            check_quiet(browser, name, f"{base}/{kind}.html")
            check_looks(browser, name, scheme)
            browser.shot(name.replace(" ", "-"), whole=True)
        with open(f"{PAGES}/{kind}.json", encoding="utf-8") as file:
            data = without_samples(json.load(file))
        same(json.loads(browser.run("return document.getElementById('data').textContent")), data,
             f"{kind}: the page has the figures of the JSON")


def check_hover(browser, base, kind, size):
    with open(f"{PAGES}/{kind}.json", encoding="utf-8") as file:
        data = json.load(file)
    name = f"{kind} {size[0]}"
    browser.screen(size, "light")
    browser.load(f"{base}/{kind}.html")
    crosses = browser.run(CROSSES)
    ok(crosses, f"{name}: points to look at")
    same(browser.run(TIP), None, f"{name}: no numbers unasked")
    for index, x, y in crosses:
        if size == NARROW:
            browser.tap(x + 1, y)
        else:
            browser.mouse(x + 1, y)
        same(browser.run(TIP), wanted_rows(data, index), f"{name}: numbers at point {index}")
    browser.shot(f"hover-{kind}-{size[0]}")
    looks = browser.run(LOOKS)
    ok(looks["width"] <= looks["window"], f"{name}: no sideways scrolling with numbers", looks)
    if size == NARROW:
        browser.tap(20, 3)
    else:
        browser.mouse(2, 2)
    same(browser.run(TIP), None, f"{name}: no numbers elsewhere")


def check_keys(browser, base):
    with open(f"{PAGES}/plain.json", encoding="utf-8") as file:
        data = json.load(file)
    browser.screen(WIDE, "dark")
    browser.load(f"{base}/plain.html")
    browser.run("document.getElementById('chart').focus()")
    for key, index in (("ArrowRight", 0), ("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", 0),
                       ("End", 6), ("ArrowRight", 6), ("Home", 0)):
        browser.key(key)
        same(browser.run(TIP), wanted_rows(data, index), f"{key} leads to point {index}")
    browser.shot("keys-plain-dark")
    browser.key("Escape")
    same(browser.run(TIP), None, "Escape takes the numbers away")


def check_legend(browser, base):
    with open(f"{PAGES}/plain.json", encoding="utf-8") as file:
        data = json.load(file)
    shown = """
const svg = [...document.querySelectorAll('svg.plot')].find((s) => s.getClientRects().length);
return [...svg.querySelectorAll('[data-series="1"]')].map((g) => g.getClientRects().length > 0);
"""
    press = """
const button = document.querySelector('[data-toggle="1"]');
button.click();
return button.getAttribute('aria-pressed');
"""
    browser.screen(WIDE, "light")
    browser.load(f"{base}/plain.html")
    same(browser.run(shown), [True, True], "line and name of a series are there")
    same(browser.run(press), "false", "its button is pressed")
    same(browser.run(shown), [False, False], "neither is there any more")
    index, x, y = browser.run(CROSSES)[3]
    browser.mouse(x, y)
    same(browser.run(TIP), wanted_rows(data, index, {1}), "nor its numbers")
    browser.shot("legend-plain")
    same(browser.run(press), "true", "pressed again")
    same(browser.run(shown), [True, True], "and both are back")


def check_evil(browser, base):
    with open(f"{PAGES}/evil.json", encoding="utf-8") as file:
        data = json.load(file)
    browser.screen(WIDE, "light")
    browser.load(f"{base}/evil.html")
    same(browser.run("return document.querySelectorAll('script').length"), 2,
         "no name and no command becomes an element")
    same(browser.run("return document.getElementById('command').textContent"),
         data["command"].replace("\x1b", "\ufffd"), "the command is shown as it is")
    same(browser.run("return [...document.querySelectorAll('.legend span')].map((s) => s.textContent)"),
         [s["name"] for s in data["series"] if any(p["median_us"] is not None for p in s["points"])],
         "the names are shown as they are")


def check_svg(browser, base):
    for kind in KINDS:
        browser.screen(WIDE, "dark")
        browser.log("browser")
        browser.load(f"{base}/{kind}.svg")
        same(browser.run("return document.documentElement.localName"), "svg",
             f"{kind}.svg is well-formed")
        same(browser.log("browser"), [], f"{kind}.svg: nothing on the console")
        browser.shot(f"svg-{kind}")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    browser = Browser()
    try:
        browser.begin()
        print(f"# Chromium {browser.version}")
        check_all(browser, base)
        for kind, size in (("plain", WIDE), ("plain", NARROW), ("evil", WIDE), ("single", WIDE),
                           ("no-axis", NARROW), ("counts", WIDE)):
            check_hover(browser, base, kind, size)
        check_keys(browser, base)
        check_legend(browser, base)
        check_evil(browser, base)
        check_svg(browser, base)
    finally:
        browser.end()
    print(f"1..{count}")
    return failed > 0


sys.exit(main())
