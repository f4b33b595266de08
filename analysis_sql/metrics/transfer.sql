-- Training loss that each final trial ended with, by its learning rate: whether the best rate is the same at every width.
-- grain: sweep_id, trial_id, series
select
    sweep_id,
    sweep,
    trial_id,
    network,
    dataset,
    -- without the rate that an axis of the sweep sets
    coalesce(nullif(ltrim(regexp_replace(series, '(^|, )η = [^,]+', ''), ', '), ''), initializer) as series,
    width,
    replicate,
    final_trials.learning_rate,
    max_by(train_loss, epoch) filter (final_trials.status = 'done') as train_loss  -- in the last epoch, nats; null where it diverged
from final_trials
join epochs using (trial_id)
group by all
