-- Area under the curve and similar units of each replicate at each width and threshold: what verdicts are made from.
-- grain: sweep_id, definition, threshold, split, series, replicate, width
select
    sweep_id,
    sweep,
    figures,
    trial_id,
    definition,
    threshold,
    split,
    series,
    network,
    dataset,
    replicate,
    width,
    trial_scores.auc,
    avg(similar_units_by_threshold.similar_units) as similar_units
from trial_scores
cross join similarity_thresholds
left join similar_units_by_threshold using (sweep_id, trial_id, definition, split, threshold)
where status = 'done'
group by all
