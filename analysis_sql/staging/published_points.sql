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
    -- some points are both printed and drawn: the more exact reading counts
    arg_min(value / divisor, error) as value,  -- in the units of our score
    min(error / divisor) as error  -- of the reading
from published
where score is not null
group by all
