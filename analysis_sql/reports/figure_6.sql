-- Figure 6: area under the curve and similar units against width, by initializer.
-- grain: sweep_id, definition, split, series, width
select * exclude (figures), initializer as series
from scores_by_width
where list_contains(figures, '6')
