-- Figure B2: accuracy, area under the curve and similar units before the end of training, by width; one row a series.
-- grain: sweep_id, definition, split, series, width, epochs_before_end
-- drawing: figure_b2
with ends as (
    select sweep_id, max(epochs) as last_epoch
    from sweep_groups
    group by all
)

select
    scores_by_width.* exclude (figures) replace (
        coalesce(nullif(regexp_replace(series, '(^|, )' || epochs || ' epochs$', ''), ''), initializer) as series
    ),
    last_epoch - epochs as epochs_before_end  -- from where training stopped to the sweep's longest
from scores_by_width
join ends using (sweep_id)
where list_contains(figures, 'B2')
