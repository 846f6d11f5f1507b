"""The SQL of everything that is asked often, ready for the driver: one text per statement.

The texts are compiled from the Core statements in `statements.py`. Those of SQLite are kept compiled, in
`texts_sqlite.py`, because importing SQLAlchemy takes forty times as long as opening a store without it;
`python -m mlcore_store_sql.statements` writes that module, and a test says when it is out of date.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Texts:
    """One database's statements; parameters are positional, in the order given by `statements.py`.

    ddl: what creates the tables and indexes of version 1 of tracking's schema.
    ddl_logged_models: what version 2 adds to it. ddl_delivery: what version 3 adds to it.
    ddl_changes: what version 4 adds to it.
    ddl_registry: what creates those of version 1 of the registry's schema. ddl_history: what version 2 adds to it.
    """

    ddl: tuple[str, ...]
    ddl_logged_models: tuple[str, ...]
    ddl_delivery: tuple[str, ...]
    ddl_changes: tuple[str, ...]
    ddl_registry: tuple[str, ...]
    ddl_history: tuple[str, ...]

    create_versions: str
    version: str
    set_version: str

    insert_experiment: str
    insert_default_experiment: str
    adopt_experiment: str
    experiment_by_id: str
    experiment_by_name: str
    experiment_tags: str
    set_experiment_location: str
    update_experiment: str
    set_experiment_tag: str
    delete_experiment_tag: str
    delete_runs_of_experiment: str
    restore_runs_of_experiment: str

    insert_run: str
    run: str
    run_for_write: str
    update_run: str
    rename_run: str
    metrics_of_run: str
    params_of_run: str
    tags_of_run: str
    inputs_of_run: str
    history: str
    has_special: str

    insert_metric_key: str
    metric_key: str
    latest_metric: str
    set_latest_metric: str
    insert_metric: str
    insert_param: str
    set_tag: str
    delete_tag: str
    insert_dataset: str
    dataset: str
    insert_input: str
    input: str
    insert_input_tag: str

    counts_of_run: str
    count_of_curve: str
    curve: str
    first_of_curve: str
    last_of_curve: str
    thin_curve_by_step: str
    thin_curve_by_time: str
    latest_of_curve: str
    steps_of_curve: str
    times_of_curve: str
    extent_by_time: str
    curve_by_time: str
    values_by_time: str
    last_by_bucket: str
    stats_by_bucket: str
    odd_by_bucket: str

    insert_logged_model: str
    logged_model: str
    update_logged_model: str
    params_of_logged_model: str
    insert_logged_model_param: str
    tags_of_logged_model: str
    set_logged_model_tag: str
    delete_logged_model_tag: str
    metrics_of_logged_model: str
    logged_model_metric: str
    set_logged_model_metric: str
    insert_model_input: str
    insert_model_output: str
    models_of_run: str

    delivered: str
    set_delivered: str
    refusals: str
    insert_refusal: str

    begin_changes: str
    touch_run: str
    runs_to_touch: str
    latest_change: str
    change_number: str
    set_change_number: str
    changes: str
    count_running: str

    insert_model: str
    model: str
    update_model: str
    count_version: str
    touch_model: str
    delete_model: str
    insert_version: str
    version_of_model: str
    version_by_id: str
    latest_versions: str
    update_version: str
    archive_versions: str
    touch_versions: str
    delete_version: str
    tags_of_model: str
    set_model_tag: str
    delete_model_tag: str
    tags_of_version: str
    set_version_tag: str
    delete_version_tag: str
    aliases_of_model: str
    version_of_alias: str
    set_alias: str
    delete_alias: str

    insert_line: str
    ended_line: str
    line_of_model: str
    lines_of_name: str
    move_line: str
    rename_line: str
    insert_move: str
    moves_of_line: str
    moves_of_name: str
    move: str
    last_move_of_subject: str
    move_of_subject_at: str
    name_now: str
    versions_in_stage: str
    versions_of_model: str
    insert_request: str
    request: str
    decide_request: str
    cancel_requests: str
    search_requests: str
    every_model: str
    known_versions: str
