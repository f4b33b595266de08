-- Figure Curve: share of labels unchanged against the share of units taken out, by surgery and in random order.
-- grain: sweep_id, split, series, width, surgery, level
-- drawing: figure_curve
with points as (
    select sweep_id, trial_id, split, surgery, level, 1 - share_kept as taken, unchanged
    from compression_levels
    where rule = 'error'
    union all by name
    -- units of all layers set to 0 in a random order, mean over the orders
    select
        sweep_id,
        trial_id,
        split,
        'random' as surgery,
        fraction as level,
        fraction as taken,
        avg(unchanged) as unchanged
    from asked_measurements
    join ablation using (trial_id, measurement_id)
    where scope = 'network' and granularity = 'kernel'
    group by all
)

select
    sweep_id,
    sweep,
    points.split,
    network,
    dataset,
    series,
    width,
    points.surgery,  -- drop, merge, either or rebuild; or random
    points.level,  -- the error of all layers; in random order the share of units
    avg(points.taken) as taken,  -- share of units taken out, mean over the layers and replicates
    avg(points.unchanged) as unchanged,
    stddev_pop(points.unchanged) as unchanged_std,  -- standard deviation over replicates
    count(*) as replicates,  -- trials behind the means
    list(trial_id order by trial_id) as trials  -- their ids
from points
join final_trials using (sweep_id, trial_id)
where sweep_id in (select sweep_id from sweep_figures where figure = 'Curve')
group by all
