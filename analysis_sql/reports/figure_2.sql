-- Figure 2: share of labels unchanged against the share of units dropped, by series and width; deviation over samples.
-- grain: sweep_id, definition, split, series, width, fraction
-- drawing: figure_2
with by_trial as (
    select
        sweep_id,
        trial_id,
        definition,
        split,
        fraction,
        avg(unchanged) as unchanged,
        stddev_pop(unchanged) as unchanged_std,
        count(*) as samples
    from ablation_curves
    group by all
)

select
    sweep_id,
    sweep,
    definition,
    split,
    network,
    dataset,
    series,
    width,
    fraction,
    avg(unchanged) as unchanged,
    avg(unchanged_std) as unchanged_std,  -- standard deviation over samples, mean over replicates
    count(*) as replicates,  -- trials behind the means
    max(samples) as samples,  -- random choices of units in each trial
    list(trial_id order by trial_id) as trials  -- their ids
from by_trial
join final_trials using (sweep_id, trial_id)
where list_contains(figures, '2')
group by all
