-- How far each sweep is: its trials done, measured and failed so far.
-- grain: sweep_id
with finals as (
    select
        sweep_id,
        count(*) filter (state in ('measured', 'not measured')) as final_done,  -- final trials whose training has ended well
        count(*) filter (state = 'measured') as measured,
        count(*) filter (state = 'not measured') as unmeasured,
        count(*) filter (state in ('failed', 'diverged')) as final_failed
    from final_trial_states
    group by all
),

tuning as (
    select
        sweep_id,
        count(trials.trial_id) as tuning_done,
        count(*) filter (trials.status = 'failed') as tuning_failed
    from sweep_trials
    left join trials using (trial_id)
    where sweep_trials.kind = 'tune'
    group by all
)

select
    sweeps.sweep_id,
    sweeps.name,
    strftime(sweeps.updated_at, '%Y-%m-%d %H:%M UTC') as updated_at,
    sweeps.definition::varchar as definition,
    coalesce(finals.final_done, 0) as final_done,
    coalesce(finals.measured, 0) as measured,  -- final trials whose measurements are all there
    coalesce(tuning.tuning_done, 0) as tuning_done,  -- tuning trials that have ended
    coalesce(finals.final_failed, 0) + coalesce(tuning.tuning_failed, 0) as failed,  -- trials, final and tuning
    coalesce(finals.unmeasured, 0) as unmeasured  -- final trials that are trained, and lack a measurement yet or for good
from sweeps
left join finals using (sweep_id)
left join tuning using (sweep_id)
