-- The paper's curves under our names: one value of a score at each point of a series, accuracies and areas as shares.
-- grain: figure, split, series, width, x, score, teacher_examples
select
    figure,
    split,
    series,
    width,
    x,
    score,
    teacher_examples,
    network as paper_network,  -- as the authors name it
    split_part(dataset, ' ', 1) as paper_dataset,  -- as the authors name it, without the split
    -- some points are both printed and drawn: the more exact reading counts
    arg_min(value / divisor, error) as value,  -- in the units of our score
    min(error / divisor) as error  -- of the reading
from published
where score is not null
group by all
