-- Share of units that can be dropped at random from all layers before fewer than 80 % of the labels stay (AAAI 2021).
-- grain: sweep_id, trial_id, split
with steps as (
    select
        sweep_id,
        trial_id,
        split,
        sample,
        fraction,
        unchanged,
        lag(fraction) over along as fraction_before,
        lag(unchanged) over along as unchanged_before
    from asked_measurements
    join ablation using (trial_id, measurement_id)
    where scope = 'network' and granularity = 'kernel'
    window along as (partition by sweep_id, trial_id, split, sample order by fraction)
),

crossings as (  -- the first of each curve, on the line between two of its points
    select
        sweep_id,
        trial_id,
        split,
        sample,
        coalesce(min(
            fraction_before
            + (fraction - fraction_before) * (unchanged_before - 0.8) / (unchanged_before - unchanged)
        ) filter (unchanged < 0.8 and unchanged_before >= 0.8), 1) as share
    from steps
    group by all
)

select
    sweep_id,
    trial_id,
    split,
    avg(share) as prunable_share,  -- of units, mean over samples
    avg(share) * any_value(width) / 4 as prunability  -- units, in those of the network of width 4
from crossings
join trials using (trial_id)
group by all
