"""Helm's own engine, in a process of its own: it brings Go's runtime along.

Reads from standard input `{"chart": DIR, "values": {NAME: values}, "packages": DIR}`, and prints
`{"rendered": {NAME: {template: text}}, "refused": {NAME: reason}, "lint": […], "package": FILE}`.
"""

import json
import sys

import helm_python as helm


def main():
    asked = json.load(sys.stdin)
    rendered, refused = {}, {}
    with helm.Chart.load(asked["chart"]) as chart:
        for name, values in asked["values"].items():
            try:
                chart.validate_schema(values)
                rendered[name] = chart.render(values, name="pv", namespace="solar")
            except helm.HelmError as error:
                refused[name] = str(error)
    findings = [helm.lint(asked["chart"], asked["values"][name], strict=True) for name in rendered]
    answer = {
        "rendered": rendered,
        "refused": refused,
        "lint": [each for found in findings for each in found["messages"]],
        "package": helm.package(asked["chart"], destination=asked["packages"]),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
