-- Final trials of each sweep, each once.
-- grain: sweep_id, trial_id
select distinct
    sweep_trials.sweep_id,
    trials.trial_id,
    trials.network,
    trials.dataset
from sweep_trials
join trials using (trial_id)
where sweep_trials.kind = 'final'
