-- Figure 1b: accuracy against width, of AlexNet and ResNet56 on CIFAR-10 with true and with random labels.
-- grain: sweep_id, definition, split, series, width
-- drawing: width_panels test_accuracy train_accuracy
select * exclude (figures)
from scores_by_width
where list_contains(figures, '1b')
