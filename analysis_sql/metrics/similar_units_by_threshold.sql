-- Similar units per unit at each threshold of |r|, mean over the layers: of live units (text), or with a dead one as -1.
-- grain: sweep_id, trial_id, definition, split, sample, threshold, vectors
with unit_counts as (
    select
        sweep_id,
        trial_id,
        measurement_id,
        vectors,
        split,
        sample,
        layer,
        count(*) as unit_count,
        count(*) filter (dead) as dead_units
    from similarity_measurements
    join units using (trial_id, measurement_id, split)
    where only_layer is null or layer = only_layer
    group by all
),

-- Edges are compared as whole hundredths: 0.3 and the edge 30 / 100 need not be the same double. A layer without a
-- similar pair has no row here.
similar_pairs as (
    select trial_id, measurement_id, split, sample, layer, threshold, sum(pairs)::bigint as pairs
    from correlations
    join similarity_thresholds on round(100 * bin_low)::integer >= round(100 * threshold)::integer
    group by all
),

-- A pair makes each of its two units similar to one more unit.
by_layer as (
    select
        unit_counts.*,
        threshold,
        2 * coalesce(similar_pairs.pairs, 0) as similar_count
    from unit_counts
    cross join similarity_thresholds
    left join similar_pairs using (trial_id, measurement_id, split, sample, layer, threshold)
)

select
    sweep_id,
    trial_id,
    definition,  -- text or released
    split,
    sample,
    threshold,
    vectors,
    avg(
        case
            when definition = 'text' then similar_count / nullif(unit_count - dead_units, 0)
            else (similar_count - dead_units) / unit_count
        end
    ) as similar_units  -- mean over the units of each layer, then over the layers
from by_layer
cross join (values ('text'), ('released')) as definitions (definition)
group by sweep_id, trial_id, definition, split, sample, threshold, vectors
