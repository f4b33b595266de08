-- Area under the curve and similar units of each replicate at each width and threshold: what verdicts are made from.
-- grain: sweep_id, definition, threshold, split, series, replicate, width
with by_trial as (
    select sweep_id, trial_id, definition, split, threshold, avg(similar_units) as similar_units
    from similar_units_by_threshold
    group by all
)

select
    trial_scores.sweep_id,
    trial_scores.sweep,
    trial_scores.figures,
    trial_scores.trial_id,
    trial_scores.definition,
    threshold,
    trial_scores.split,
    trial_scores.series,
    trial_scores.network,
    trial_scores.dataset,
    trial_scores.replicate,
    trial_scores.width,
    trial_scores.auc,
    by_trial.similar_units
from trial_scores
cross join similarity_thresholds
left join by_trial using (sweep_id, trial_id, definition, split, threshold)
where trial_scores.status = 'done'
