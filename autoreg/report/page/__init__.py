"""The HTML report: one self-contained page of all that results.db shows; no request leaves it.

`content` reads what each sweep's section shows, from `trials`, `epochs`, `layers`, `claims`, `figures` and `origin`.
`write` puts it into the template. `inline` has the charts' library, the style and the script, which runs in the browser
and draws the charts on demand: a file of `script/` for each of their kinds.
"""
