-- What a trial's units are, by inclusion and exclusion: needed, removable, repeated or both, as mean shares of a layer.
-- grain: sweep_id, trial_id, series, split, tolerance
select
    sweep_id,
    sweep,
    trial_id,
    network,
    dataset,
    series,
    replicate,
    width,
    split,
    tolerance,
    1 - max(share_kept) filter (surgery = 'drop') as dropped,  -- that go if they may be dropped
    1 - max(share_kept) filter (surgery = 'merge') as merged,  -- that go if they may be merged
    1 - max(share_kept) filter (surgery = 'either') as either,  -- that go if they may be dropped or merged
    1 - either as needed,  -- neither dropped nor merged
    least(either - merged, dropped) as only_removable,  -- that go if they may be dropped, and not if merged
    least(either - dropped, merged) as only_repeated,  -- that go if they may be merged, and not if dropped
    greatest(dropped + merged - either, 0) as either_way,  -- that go by dropping alone, and by merging alone
    greatest(either - dropped - merged, 0) as only_together  -- that go only where both are allowed
from compressed_widths
group by all
having dropped is not null and merged is not null and either is not null
