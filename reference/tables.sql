-- One row for each point of the paper's curves; the first columns are empty where no series of ours is its counterpart.
create or replace table published (
    figure varchar,  -- that shows our counterpart
    split varchar,  -- train or test
    series varchar,  -- as our figures name it
    width double,  -- factor
    x double,  -- where on the figure's axis: the width, fraction or epochs before the end
    score varchar,  -- the column of ours with the same measure
    teacher_examples integer,  -- that the paper's MLP learnt from; 0 for other data and where it is not known
    divisor integer,  -- what value and error are divided by: 100 for per cent
    paper_figure varchar,  -- as the authors name it
    panel varchar,  -- of that figure
    network varchar,  -- as the authors name it
    dataset varchar,  -- with the split
    paper_series varchar,  -- as the authors name it
    paper_x double,  -- as it is drawn
    x_kind varchar,  -- what paper_x is
    metric varchar,  -- as the authors name it
    value double,  -- as it is drawn or printed
    error double,  -- of the reading
    source_picture varchar  -- the file it is read from
);
-- One row for each setting that figures have a name for.
create or replace table labels (
    kind varchar,  -- the setting: initializer, optimizer, …
    name varchar,  -- its value in a trial
    label varchar,  -- what figures call it
    look integer  -- its colour and marker in every figure, from 0; null takes the first that is free
);
-- The networks of the paper, and what its released code measures of them. Of others, all layers are dropped at once.
create or replace table protocol (
    network varchar,  -- by name, without options
    released_scope varchar,  -- network where units of all layers are dropped at once, or layer for one at a time
    released_layer varchar,  -- the only one whose curve counts; null for all
    only_layer varchar,  -- the only one that is scaled, so that it alone counts; null for all
    panel varchar,  -- the kind of data, a panel of figure B1
    paper_network varchar  -- as the authors name it
);
-- One row for each dataset of the paper.
create or replace table paper_datasets (
    dataset varchar,  -- by name, without options
    dimensions varchar,  -- that option; null where it is not set
    paper_dataset varchar  -- as the authors name it, without the split; - for numbers of parameters
);
-- One row for each claim of the paper about a figure, in our words.
create or replace table claims (
    claim integer,  -- its number
    place varchar,  -- section or caption that makes it
    figure varchar,  -- that shows it
    words varchar,  -- what it says
    quantity varchar,  -- removability, repetition, either of them, accuracy or error; null where no verdict speaks of it
    says varchar,  -- grows, does not grow, shrinks; higher or as, than or like the series against
    series varchar,  -- of the figure, of each of which it is said, with ; between
    against varchar  -- the series that they are compared to; null for none
);
