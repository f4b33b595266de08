-- Figure 6: area under the curve and similar units against width, by series (the initializer).
-- grain: sweep_id, definition, split, series, width
select * exclude (figures)
from scores_by_width
where list_contains(figures, '6')
