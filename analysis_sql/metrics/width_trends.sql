-- Area under the curve and similar units of each replicate at each width and threshold: what verdicts are made from.
-- grain: sweep_id, definition, threshold, split, series, replicate, width
with done as (
    select *
    from trial_scores
    where status = 'done'
),

-- Similar units over all vectors count where every trial of a series has them, and never beside those of drawn ones.
chosen as (
    select
        done.sweep_id,
        done.series,
        done.split,
        case
            when count(distinct trial_id) filter (vectors = 'all') = count(distinct trial_id) then 'all'
            else max(vectors)  -- drawn, unless the sweep asks for all
        end as vectors
    from done
    left join similarity_measurements using (sweep_id, trial_id, split)
    group by all
)

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
    vectors,  -- of similar units: drawn, or all where every trial of the series has them
    done.auc,
    avg(similar_units_by_threshold.similar_units) as similar_units,
    done.test_accuracy
from done
left join chosen using (sweep_id, series, split)
cross join similarity_thresholds
left join similar_units_by_threshold using (sweep_id, trial_id, definition, split, threshold, vectors)
group by all
