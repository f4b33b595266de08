-- Figure Phase: compressed width, similar units, area under the curve and movement against width, by richness.
-- grain: sweep_id, definition, split, series, width
-- drawing: figure_phase
select
    sweep_id,
    sweep,
    definition,
    split,
    network,
    dataset,
    series,
    parametrization,
    richness,
    width,
    avg(compressed_width) as compressed_width,  -- mean over replicates, as all of these
    stddev_pop(compressed_width) as compressed_width_std,  -- standard deviation over replicates
    avg(similar_units) as similar_units,
    stddev_pop(similar_units) as similar_units_std,  -- standard deviation over replicates
    avg(auc) as auc,
    stddev_pop(auc) as auc_std,  -- standard deviation over replicates
    avg(movement) as movement,
    stddev_pop(movement) as movement_std,  -- standard deviation over replicates
    avg(train_accuracy) as train_accuracy,
    least(
        nullif(count(compressed_width), 0), nullif(count(similar_units), 0), nullif(count(auc), 0),
        nullif(count(movement), 0), count(*)
    ) as replicates,  -- the fewest behind a mean
    list(trial_id order by trial_id) as trials  -- their ids
from phase
where sweep_id in (select sweep_id from sweep_figures where figure = 'Phase')
group by all
