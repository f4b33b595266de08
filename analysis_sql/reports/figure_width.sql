-- Figure Width: compressed against nominal width, at 99 % of the labels, by surgery; and what the units are.
-- grain: sweep_id, split, series, width, surgery
-- drawing: figure_width
with split_by_width as (
    select
        sweep_id,
        series,
        split,
        width,
        tolerance,
        avg(needed) as needed,
        avg(only_removable) as only_removable,
        avg(only_repeated) as only_repeated,
        avg(either_way) as either_way,
        avg(only_together) as only_together
    from compressed_width_split
    group by all
)

select
    sweep_id,
    sweep,
    split,
    network,
    dataset,
    series,
    width,
    surgery,
    tolerance,
    avg(compressed_width) as compressed_width,  -- width × mean share of units kept, mean over replicates
    stddev_pop(compressed_width) as compressed_width_std,  -- standard deviation over replicates
    avg(unchanged) as unchanged,  -- share of labels that stay, on the split
    avg(accuracy) as accuracy,
    any_value(needed) as needed,
    any_value(only_removable) as only_removable,
    any_value(only_repeated) as only_repeated,
    any_value(either_way) as either_way,
    any_value(only_together) as only_together,
    count(*) as replicates,  -- trials behind the means
    list(trial_id order by trial_id) as trials  -- their ids
from compressed_widths
left join split_by_width using (sweep_id, series, split, width, tolerance)
where tolerance = 0.99
group by all
