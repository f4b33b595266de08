-- Share of units beyond the principal components that hold 95 % of the variance (AAAI 2021), mean over the layers.
-- grain: sweep_id, trial_id, split
with components as (
    select
        sweep_id,
        trial_id,
        compressible_layers.split,
        layer,
        units,
        unnest(eigenvalues) as eigenvalue
    from asked_measurements
    join compressible_layers using (trial_id, measurement_id)
    where whole is null
),

sums as (
    select
        *,
        sum(eigenvalue) over along as up_to_here,
        sum(eigenvalue) over (partition by sweep_id, trial_id, split, layer) as total
    from components
    window along as (
        partition by sweep_id, trial_id, split, layer order by eigenvalue rows unbounded preceding
    )
),

by_layer as (
    select
        sweep_id,
        trial_id,
        split,
        layer,
        count(*) filter (up_to_here <= 0.05 * total) / any_value(units) as share
    from sums
    group by all
)

select
    sweep_id,
    trial_id,
    split,
    avg(share) as redundant_share,  -- of units: the smallest components that together hold at most 5 % of the variance
    avg(share) * any_value(width) / 4 as redundancy  -- units, in those of the network of width 4
from by_layer
join trials using (trial_id)
group by all
