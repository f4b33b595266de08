-- How far similar units differ between random choices of vectors, by trial and layer, and what all vectors give.
-- grain: sweep_id, trial_id, definition, split, layer or null
with drawn as (
    from similar_units
    union all by name
    from similar_units_by_layer
),

exact_by_layer as (
    select sweep_id, trial_id, definition, split, layer, only_layer, avg(similar_units) as exact
    from similarity_measurements
    join similar_units_by_measurement using (trial_id, measurement_id, split)
    where vectors = 'all'
    group by all
),

exact as (
    select sweep_id, trial_id, definition, split, layer, exact
    from exact_by_layer
    union all
    select sweep_id, trial_id, definition, split, null as layer, avg(exact) as exact
    from exact_by_layer
    where only_layer is null or layer = only_layer
    group by all
)

select
    drawn.sweep_id,
    drawn.trial_id,
    drawn.definition,
    drawn.split,
    drawn.layer,  -- null for the trial as a whole
    count(*) as samples,  -- random choices of vectors
    min(drawn.similar_units) as least,  -- similar units of the sample that has fewest
    avg(drawn.similar_units) as similar_units,  -- mean over units and samples
    max(drawn.similar_units) as most,  -- similar units of the sample that has most
    stddev_pop(drawn.similar_units) as sample_std,  -- standard deviation over samples
    any_value(exact.exact) as exact  -- similar units over all vectors; null if they were not measured
from drawn
left join exact
    on exact.sweep_id = drawn.sweep_id
    and exact.trial_id = drawn.trial_id
    and exact.definition = drawn.definition
    and exact.split = drawn.split
    and exact.layer is not distinct from drawn.layer
group by all
