-- Figure B5: accuracy, area under the curve and similar units of the MLP against width, by initial sigma.
-- grain: sweep_id, definition, split, series, width
select * exclude (figures)
from scores_by_width
where list_contains(figures, 'B5')
