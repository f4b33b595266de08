-- What has become of each final trial of a sweep: not run, failed, diverged, not measured or measured.
-- grain: sweep_id, trial_id
with asked as (
    select sweep_id, count(distinct (metric, split)) as measurements
    from sweep_measurements
    group by all
),

there as (
    select sweep_measurements.sweep_id, measurements.trial_id, count(distinct (metric, split)) as measurements
    from sweep_measurements
    join measurements using (measurement_id, metric, split)
    group by all
)

select
    sweep_trials.sweep_id,
    sweep_trials.trial_id,
    sweep_trials.group_id,
    case
        when trials.status is null then 'not run'
        when trials.status <> 'done' then trials.status
        when there.measurements = asked.measurements then 'measured'
        else 'not measured'
    end as state  -- not run, failed, diverged, not measured or measured
from sweep_trials
join asked using (sweep_id)
left join trials using (trial_id)
left join there on there.sweep_id = sweep_trials.sweep_id and there.trial_id = sweep_trials.trial_id
where sweep_trials.kind = 'final'
