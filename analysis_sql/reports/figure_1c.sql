-- Figure 1c: accuracy against width, of AlexNet on CIFAR-10 by initializer.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy train_accuracy
select * exclude (figures)
from scores_by_width
where list_contains(figures, '1c')
