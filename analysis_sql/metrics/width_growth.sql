-- By what factor each kind of units grows from one width to the next (g of AAAI 2021), mean over neighbouring widths.
-- grain: sweep_id, series, split, measure
with measured as (
    select
        sweep_id,
        sweep,
        series,
        split,
        width,
        avg(prunability) as prunable,
        avg(width / 4 - prunability) as not_prunable,
        avg(redundancy) as redundant,
        avg(width / 4 - redundancy) as not_redundant
    from prunability
    left join redundancy using (sweep_id, trial_id, split)
    join final_trials using (sweep_id, trial_id)
    group by all
),

by_width as (
    from measured unpivot (units for measure in (prunable, not_prunable, redundant, not_redundant))
),

steps as (
    select
        *,
        units / nullif(lag(units) over along, 0) as ratio,
        log2(width / lag(width) over along) as doublings
    from by_width
    window along as (partition by sweep_id, series, split, measure order by width)
)

select
    sweep_id,
    sweep,
    series,
    split,
    measure,  -- prunable, not_prunable, redundant or not_redundant
    avg(ratio ^ (1 / doublings)) as growth,  -- for each doubling of the width; above 2 it outgrows the network
    count(*) + 1 as widths  -- that there are
from steps
where ratio is not null
group by all
