-- Each final trial's scores beside how narrow it can be made, and how far it moved: by parametrization and richness.
-- grain: sweep_id, trial_id, series, definition, split
with compressed as (
    select sweep_id, trial_id, series, split, compressed_width
    from compressed_widths
    where surgery = 'rebuild' and tolerance = 0.99
),

moved as (
    select sweep_id, trial_id, split, avg(movement) as movement
    from movement_by_layer
    where activation_change is not null
    group by all
)

select
    sweep_id,
    trial_scores.sweep,
    trial_id,
    trial_scores.network,
    trial_scores.dataset,
    series,
    final_trials.parametrization,
    final_trials.richness,
    trial_scores.width,
    trial_scores.replicate,
    definition,
    split,
    compressed_width,  -- by rebuild, at 99 % of the labels; null where it is not measured
    trial_scores.similar_units,
    trial_scores.auc,
    movement,  -- mean over the measured layers; null where it is not measured
    trial_scores.train_accuracy
from trial_scores
join final_trials using (sweep_id, trial_id, series)
left join compressed using (sweep_id, trial_id, series, split)
left join moved using (sweep_id, trial_id, split)
