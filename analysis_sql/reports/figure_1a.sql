-- Figure 1a: test accuracy against width, of ResNet18 and Inception-v3 on ImageNet.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy
select * exclude (figures)
from scores_by_width
where list_contains(figures, '1a')
