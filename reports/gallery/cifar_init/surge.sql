-- Similar units of each trial over all vectors, beside its samples of vectors and the paper's value; mean over the layers.
-- grain: sweep_id, split, series, width, replicate
with by_layer as (
    select
        sweep_id,
        trial_id,
        split,
        layer,
        avg(coalesce(similar_units, -1)) as all_units,
        avg(similar_units) filter (active_share >= 0.001) as live_units,
        avg(dead::integer) as dead_share,
        avg((not dead and active_share < 0.001)::integer) as nearly_dead_share
    from similarity_measurements
    join units using (trial_id, measurement_id, split)
    join activity using (trial_id, measurement_id, split, layer, unit)
    where vectors = 'all'
    group by all
),

over_all_vectors as (
    select
        sweep_id,
        trial_id,
        split,
        avg(all_units) as all_units,  -- similar units per unit, a dead one counting as -1
        avg(live_units) as live_units,  -- similar units per live unit: active at 1 in 1,000 positions or more
        any_value(dead_share) filter (layer = 'conv2') as dead_share,  -- of conv2's units
        any_value(nearly_dead_share) filter (layer = 'conv2') as nearly_dead_share
    from by_layer
    group by all
),

drawn as (
    select sweep_id, trial_id, split, list(similar_units order by sample) as samples  -- likewise, of each sample
    from similar_units
    where definition = 'released'
    group by all
)

select
    final_trials.sweep_id,
    final_trials.sweep,
    split,
    final_trials.network,
    final_trials.dataset,
    final_trials.series,
    final_trials.width,
    final_trials.replicate,
    over_all_vectors.all_units,
    over_all_vectors.live_units,
    drawn.samples,
    published_points.value as paper,
    over_all_vectors.dead_share,
    over_all_vectors.nearly_dead_share,
    [final_trials.trial_id] as trials
from over_all_vectors
join drawn using (sweep_id, trial_id, split)
join final_trials using (sweep_id, trial_id)
left join published_points
    on published_points.figure = '6'
    and published_points.score = 'similar_units'
    and published_points.split = over_all_vectors.split
    and published_points.series = final_trials.series
    and published_points.width = final_trials.width
