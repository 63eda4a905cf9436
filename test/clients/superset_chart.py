"""A chart over predict() in Superset: made through its API, looked at in a browser.

    superset_chart.py URL SQLALCHEMY_URI EXPECTED.json CHROMIUM SCREENSHOT.png

EXPECTED.json is what psql says the chart must show: {category: score}.  Prints
one line a check, "ok - ..." or "not ok - ...".
"""
import json
import sys
import time

import requests
from playwright.sync_api import sync_playwright

USER = PASSWORD = "grove"
VIEW = "visits_scored"


def check(name, passed, detail=""):
    print(f"ok - {name}" if passed else f"not ok - {name}: {detail}", flush=True)
    return passed


class Api:
    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        answer = self.call("security/login", username=USER, password=PASSWORD, provider="db")
        self.session.headers["Authorization"] = "Bearer " + answer["access_token"]

    def call(self, path, **body):
        answer = self.session.post(f"{self.url}/api/v1/{path}", json=body, timeout=60)
        if answer.status_code >= 300:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def average_score():
    return {"expressionType": "SIMPLE", "column": {"column_name": "score"}, "aggregate": "AVG", "label": "score"}


def make_chart(api, dataset, viz_type, name, **settings):
    params = {"viz_type": viz_type, "datasource": f"{dataset}__table", "row_limit": 100, **settings}
    return api.call("chart/", slice_name=name, viz_type=viz_type, datasource_id=dataset, datasource_type="table",
                    params=json.dumps(params))["id"]


def queried(api, dataset):
    query = {"columns": ["source"], "metrics": [average_score()], "row_limit": 100}
    answer = api.call("chart/data", datasource={"id": dataset, "type": "table"}, queries=[query])
    return {row["source"]: row["score"] for row in answer["result"][0]["data"]}


def close(found, expected):
    return found.keys() == expected.keys() and all(abs(found[k] - expected[k]) < 1e-9 for k in expected)


def look(url, chromium, table, bars, expected, screenshot):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 620})
        page.goto(f"{url}/login/")
        page.fill("input[name=username], #username", USER)
        page.fill("input[name=password], #password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda address: "/login" not in address, timeout=60000)

        page.goto(f"{url}/explore/?slice_id={table}&standalone=1")
        page.wait_for_selector("table tbody tr", timeout=90000)
        cells = [row.locator("td").all_inner_texts() for row in page.locator("table tbody tr").all()]
        shown = {row[0].strip(): row[1].strip() for row in cells if len(row) == 2}
        want = {k: f"{v:.4f}" for k, v in expected.items()}
        check("Superset: the table in the browser shows the average of predict() of each source", shown == want,
              f"{shown} instead of {want}")

        page.goto(f"{url}/explore/?slice_id={bars}&standalone=1")
        page.wait_for_selector("canvas", timeout=90000)
        time.sleep(3)  # the bars grow
        drawn = page.evaluate(
            """() => { const c = document.querySelector('canvas');
                       const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                       const seen = new Set();
                       for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 0) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
                       return seen.size; }""")
        check("Superset: the bar chart is drawn", drawn > 2, f"{drawn} colours")
        page.screenshot(path=screenshot)
        browser.close()


def main():
    url, uri, expected_file, chromium, screenshot = sys.argv[1:]
    with open(expected_file, encoding="utf-8") as file:
        expected = json.load(file)
    api = Api(url)
    database = api.call("database/", database_name="shop", sqlalchemy_uri=uri)["id"]
    dataset = api.call("dataset/", database=database, schema="public", table_name=VIEW)["id"]
    found = queried(api, dataset)
    check("Superset: a query over the view's score equals psql's", close(found, expected), f"{found} instead of {expected}")
    table = make_chart(api, dataset, "table", "Purchase propensity by source", query_mode="aggregate",
                       groupby=["source"], metrics=[average_score()], column_config={"score": {"d3NumberFormat": ".4f"}})
    bars = make_chart(api, dataset, "echarts_timeseries_bar", "Purchase propensity by source", x_axis="source",
                      metrics=[average_score()], groupby=[], y_axis_format=".0%", show_value=True, x_axis_title="source",
                      y_axis_title="average of predict()", x_axis_title_margin=30, y_axis_title_margin=50)
    look(url, chromium, table, bars, expected, screenshot)


main()
