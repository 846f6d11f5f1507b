"""The statements as SQLite takes them; written by `python -m mlcore_store_sql.statements`, not by hand."""

from mlcore_store_sql.texts import Texts

TEXTS = Texts(
    ddl=(
        "CREATE TABLE mlcore_experiments ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, artifact_location TEXT, lifecycle_stage TEXT NOT NULL, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, deleted_time BIGINT, UNIQUE (name) )",
        'CREATE TABLE mlcore_metric_keys ( id INTEGER NOT NULL, "key" TEXT NOT NULL, PRIMARY KEY (id), UNIQUE ("key") )',
        'CREATE TABLE mlcore_metrics ( run BIGINT NOT NULL, "key" BIGINT NOT NULL, step BIGINT NOT NULL, timestamp BIGINT NOT NULL, value DOUBLE NOT NULL, special SMALLINT NOT NULL, PRIMARY KEY (run, "key", step, timestamp, value, special) ) WITHOUT ROWID',
        "CREATE TABLE mlcore_datasets ( id INTEGER NOT NULL, experiment INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, source_type TEXT NOT NULL, source TEXT NOT NULL, schema TEXT, profile TEXT, PRIMARY KEY (id), UNIQUE (experiment, name, digest), FOREIGN KEY(experiment) REFERENCES mlcore_experiments (id) ON DELETE CASCADE )",
        'CREATE TABLE mlcore_experiment_tags ( experiment INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (experiment, "key"), FOREIGN KEY(experiment) REFERENCES mlcore_experiments (id) ON DELETE CASCADE ) WITHOUT ROWID',
        "CREATE TABLE mlcore_runs ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, experiment INTEGER NOT NULL, name TEXT NOT NULL, user_id TEXT NOT NULL, status TEXT NOT NULL, start_time BIGINT NOT NULL, end_time BIGINT, artifact_uri TEXT, lifecycle_stage TEXT NOT NULL, deleted_time BIGINT, deleted_with_experiment SMALLINT NOT NULL, UNIQUE (run_id), FOREIGN KEY(experiment) REFERENCES mlcore_experiments (id) ON DELETE CASCADE )",
        "CREATE TABLE mlcore_inputs ( id INTEGER NOT NULL, run INTEGER NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (run, dataset), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE, FOREIGN KEY(dataset) REFERENCES mlcore_datasets (id) ON DELETE CASCADE )",
        'CREATE TABLE mlcore_latest_metrics ( run INTEGER NOT NULL, "key" INTEGER NOT NULL, step BIGINT NOT NULL, timestamp BIGINT NOT NULL, value DOUBLE NOT NULL, special SMALLINT NOT NULL, min DOUBLE, max DOUBLE, count BIGINT NOT NULL, PRIMARY KEY (run, "key"), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE, FOREIGN KEY("key") REFERENCES mlcore_metric_keys (id) ) WITHOUT ROWID',
        'CREATE TABLE mlcore_params ( run INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, number DOUBLE, PRIMARY KEY (run, "key"), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE ) WITHOUT ROWID',
        'CREATE TABLE mlcore_tags ( run INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, "key"), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE ) WITHOUT ROWID',
        'CREATE TABLE mlcore_input_tags ( input INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (input, "key"), FOREIGN KEY(input) REFERENCES mlcore_inputs (id) ON DELETE CASCADE ) WITHOUT ROWID',
        "CREATE INDEX mlcore_runs_by_start ON mlcore_runs (experiment, lifecycle_stage, start_time DESC, run_id)",
        "CREATE INDEX ix_mlcore_inputs_dataset ON mlcore_inputs (dataset)",
        'CREATE INDEX mlcore_latest_by_value ON mlcore_latest_metrics ("key", value, special)',
        'CREATE INDEX mlcore_params_by_number ON mlcore_params ("key", number)',
        'CREATE INDEX mlcore_params_by_value ON mlcore_params ("key", value)',
        'CREATE INDEX mlcore_tags_by_value ON mlcore_tags ("key", value)',
    ),
    ddl_logged_models=(
        "CREATE TABLE mlcore_logged_models ( id INTEGER NOT NULL, model_id TEXT NOT NULL, experiment INTEGER NOT NULL, name TEXT NOT NULL, artifact_uri TEXT, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, status TEXT NOT NULL, status_message TEXT NOT NULL, creator_id TEXT NOT NULL, model_type TEXT NOT NULL, source_run_id TEXT NOT NULL, lifecycle_stage TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (model_id), FOREIGN KEY(experiment) REFERENCES mlcore_experiments (id) ON DELETE CASCADE )",
        "CREATE TABLE mlcore_model_inputs ( id INTEGER NOT NULL, run INTEGER NOT NULL, model_id TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (run, model_id), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE )",
        "CREATE TABLE mlcore_model_outputs ( id INTEGER NOT NULL, run INTEGER NOT NULL, model_id TEXT NOT NULL, step BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE (run, model_id, step), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE )",
        'CREATE TABLE mlcore_logged_model_metrics ( model INTEGER NOT NULL, "key" TEXT NOT NULL, run_id TEXT NOT NULL, dataset_name TEXT NOT NULL, dataset_digest TEXT NOT NULL, step BIGINT NOT NULL, timestamp BIGINT NOT NULL, value DOUBLE NOT NULL, special SMALLINT NOT NULL, PRIMARY KEY (model, "key", run_id, dataset_name, dataset_digest), FOREIGN KEY(model) REFERENCES mlcore_logged_models (id) ON DELETE CASCADE ) WITHOUT ROWID',
        'CREATE TABLE mlcore_logged_model_params ( model INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, number DOUBLE, PRIMARY KEY (model, "key"), FOREIGN KEY(model) REFERENCES mlcore_logged_models (id) ON DELETE CASCADE ) WITHOUT ROWID',
        'CREATE TABLE mlcore_logged_model_tags ( model INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model, "key"), FOREIGN KEY(model) REFERENCES mlcore_logged_models (id) ON DELETE CASCADE ) WITHOUT ROWID',
        "CREATE INDEX mlcore_logged_models_by_creation ON mlcore_logged_models (experiment, lifecycle_stage, creation_time DESC, model_id)",
    ),
    ddl_delivery=(
        "CREATE TABLE mlcore_deliveries ( run INTEGER NOT NULL, writer TEXT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (run, writer), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE ) WITHOUT ROWID",
        "CREATE TABLE mlcore_refusals ( run INTEGER NOT NULL, writer TEXT NOT NULL, sequence BIGINT NOT NULL, error TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (run, writer, sequence), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE ) WITHOUT ROWID",
    ),
    ddl_changes=(
        "CREATE TABLE mlcore_change_numbers ( experiment INTEGER NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (experiment), FOREIGN KEY(experiment) REFERENCES mlcore_experiments (id) ON DELETE CASCADE ) WITHOUT ROWID",
        "CREATE TABLE mlcore_changes ( run INTEGER NOT NULL, experiment INTEGER NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (run), FOREIGN KEY(run) REFERENCES mlcore_runs (id) ON DELETE CASCADE, FOREIGN KEY(experiment) REFERENCES mlcore_experiments (id) ON DELETE CASCADE ) WITHOUT ROWID",
        "CREATE INDEX mlcore_changes_by_number ON mlcore_changes (experiment, number, run)",
    ),
    ddl_registry=(
        "CREATE TABLE mlcore_registered_models ( id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, version_count BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE (name) )",
        "CREATE TABLE mlcore_model_versions ( id INTEGER NOT NULL, model INTEGER NOT NULL, version BIGINT NOT NULL, source TEXT NOT NULL, run_id TEXT, run_link TEXT, stage TEXT NOT NULL, status TEXT NOT NULL, status_message TEXT NOT NULL, description TEXT NOT NULL, user_id TEXT NOT NULL, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE (model, version), FOREIGN KEY(model) REFERENCES mlcore_registered_models (id) ON DELETE CASCADE )",
        'CREATE TABLE mlcore_registered_model_tags ( model INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model, "key"), FOREIGN KEY(model) REFERENCES mlcore_registered_models (id) ON DELETE CASCADE ) WITHOUT ROWID',
        "CREATE TABLE mlcore_model_aliases ( model INTEGER NOT NULL, alias TEXT NOT NULL, model_version INTEGER NOT NULL, PRIMARY KEY (model, alias), FOREIGN KEY(model) REFERENCES mlcore_registered_models (id) ON DELETE CASCADE, FOREIGN KEY(model_version) REFERENCES mlcore_model_versions (id) ON DELETE CASCADE ) WITHOUT ROWID",
        'CREATE TABLE mlcore_model_version_tags ( model_version INTEGER NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model_version, "key"), FOREIGN KEY(model_version) REFERENCES mlcore_model_versions (id) ON DELETE CASCADE ) WITHOUT ROWID',
        "CREATE INDEX mlcore_model_versions_by_run ON mlcore_model_versions (run_id)",
        "CREATE INDEX mlcore_model_versions_by_stage ON mlcore_model_versions (model, stage, version)",
        'CREATE INDEX mlcore_registered_model_tags_by_value ON mlcore_registered_model_tags ("key", value)',
        "CREATE INDEX ix_mlcore_model_aliases_model_version ON mlcore_model_aliases (model_version)",
        'CREATE INDEX mlcore_model_version_tags_by_value ON mlcore_model_version_tags ("key", value)',
    ),
    ddl_history=(
        "CREATE TABLE mlcore_model_lines ( id INTEGER NOT NULL, model INTEGER, name TEXT NOT NULL, moved BIGINT NOT NULL, moved_at BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE (model), FOREIGN KEY(model) REFERENCES mlcore_registered_models (id) ON DELETE SET NULL )",
        "CREATE TABLE mlcore_model_moves ( id INTEGER NOT NULL, line INTEGER NOT NULL, number BIGINT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, moved_from TEXT NOT NULL, moved_to TEXT NOT NULL, moved_at BIGINT NOT NULL, user_id TEXT NOT NULL, comment TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (line, number), FOREIGN KEY(line) REFERENCES mlcore_model_lines (id) )",
        "CREATE TABLE mlcore_transition_requests ( id INTEGER NOT NULL, request_id TEXT NOT NULL, line INTEGER NOT NULL, version BIGINT NOT NULL, stage TEXT NOT NULL, user_id TEXT NOT NULL, comment TEXT NOT NULL, created_at BIGINT NOT NULL, archive_existing BIGINT NOT NULL, status TEXT NOT NULL, decided_at BIGINT, decided_by TEXT NOT NULL, decision TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (request_id), FOREIGN KEY(line) REFERENCES mlcore_model_lines (id) )",
        "CREATE INDEX ix_mlcore_model_lines_name ON mlcore_model_lines (name)",
        "CREATE INDEX mlcore_model_moves_by_subject ON mlcore_model_moves (line, kind, subject, moved_at, number)",
        "CREATE INDEX mlcore_transition_requests_by_line ON mlcore_transition_requests (line, status)",
        "CREATE INDEX mlcore_transition_requests_by_status ON mlcore_transition_requests (status)",
    ),
    # no parameters
    create_versions="CREATE TABLE IF NOT EXISTS mlcore_versions ( component TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (component) )",
    # of_component
    version="SELECT mlcore_versions.version FROM mlcore_versions WHERE mlcore_versions.component = ?",
    # component, version
    set_version="INSERT INTO mlcore_versions (component, version) VALUES (?, ?) ON CONFLICT (component) DO UPDATE SET version = excluded.version",
    # name, artifact_location, creation_time, last_update_time
    insert_experiment="INSERT INTO mlcore_experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time) VALUES (?, ?, 'active', ?, ?) ON CONFLICT DO NOTHING",
    # id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, deleted_time
    adopt_experiment="INSERT INTO mlcore_experiments (id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, deleted_time) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    # name, artifact_location, creation_time, last_update_time
    insert_default_experiment="INSERT INTO mlcore_experiments (id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) VALUES (0, ?, ?, 'active', ?, ?) ON CONFLICT DO NOTHING",
    # of_id
    experiment_by_id="SELECT mlcore_experiments.id, mlcore_experiments.name, mlcore_experiments.artifact_location, mlcore_experiments.lifecycle_stage, mlcore_experiments.creation_time, mlcore_experiments.last_update_time FROM mlcore_experiments WHERE mlcore_experiments.id = ?",
    # of_name
    experiment_by_name="SELECT mlcore_experiments.id, mlcore_experiments.name, mlcore_experiments.artifact_location, mlcore_experiments.lifecycle_stage, mlcore_experiments.creation_time, mlcore_experiments.last_update_time FROM mlcore_experiments WHERE mlcore_experiments.name = ?",
    # of_experiment
    experiment_tags='SELECT mlcore_experiment_tags."key", mlcore_experiment_tags.value FROM mlcore_experiment_tags WHERE mlcore_experiment_tags.experiment = ? ORDER BY mlcore_experiment_tags."key"',
    # artifact_location, of_id
    set_experiment_location="UPDATE mlcore_experiments SET artifact_location=? WHERE mlcore_experiments.id = ?",
    # name, lifecycle_stage, last_update_time, deleted_time, of_id
    update_experiment="UPDATE mlcore_experiments SET name=?, lifecycle_stage=?, last_update_time=?, deleted_time=? WHERE mlcore_experiments.id = ?",
    # experiment, key, value
    set_experiment_tag='INSERT INTO mlcore_experiment_tags (experiment, "key", value) VALUES (?, ?, ?) ON CONFLICT (experiment, "key") DO UPDATE SET value = excluded.value',
    # of_experiment, of_key
    delete_experiment_tag='DELETE FROM mlcore_experiment_tags WHERE mlcore_experiment_tags.experiment = ? AND mlcore_experiment_tags."key" = ?',
    # deleted_time, of_experiment
    delete_runs_of_experiment="UPDATE mlcore_runs SET lifecycle_stage='deleted', deleted_time=?, deleted_with_experiment=1 WHERE mlcore_runs.experiment = ? AND mlcore_runs.lifecycle_stage = 'active'",
    # of_experiment
    restore_runs_of_experiment="UPDATE mlcore_runs SET lifecycle_stage='active', deleted_time=NULL, deleted_with_experiment=0 WHERE mlcore_runs.experiment = ? AND mlcore_runs.deleted_with_experiment = 1",
    # run_id, experiment, name, user_id, start_time, artifact_uri
    insert_run="INSERT INTO mlcore_runs (run_id, experiment, name, user_id, status, start_time, artifact_uri, lifecycle_stage, deleted_with_experiment) VALUES (?, ?, ?, ?, 'RUNNING', ?, ?, 'active', 0)",
    # of_run_id
    run="SELECT mlcore_runs.id, mlcore_runs.run_id, mlcore_runs.experiment, mlcore_runs.name, mlcore_runs.user_id, mlcore_runs.status, mlcore_runs.start_time, mlcore_runs.end_time, mlcore_runs.artifact_uri, mlcore_runs.lifecycle_stage FROM mlcore_runs WHERE mlcore_runs.run_id = ?",
    # of_run_id
    run_for_write="SELECT mlcore_runs.id, mlcore_runs.lifecycle_stage, mlcore_runs.experiment FROM mlcore_runs WHERE mlcore_runs.run_id = ?",
    # name, status, end_time, lifecycle_stage, deleted_time, of_id
    update_run="UPDATE mlcore_runs SET name=?, status=?, end_time=?, lifecycle_stage=?, deleted_time=?, deleted_with_experiment=0 WHERE mlcore_runs.id = ?",
    # name, of_id
    rename_run="UPDATE mlcore_runs SET name=? WHERE mlcore_runs.id = ?",
    # of_run
    metrics_of_run='SELECT mlcore_latest_metrics.run, mlcore_metric_keys."key", mlcore_latest_metrics.step, mlcore_latest_metrics.timestamp, mlcore_latest_metrics.value, mlcore_latest_metrics.special, mlcore_latest_metrics.min, mlcore_latest_metrics.max, mlcore_latest_metrics.count FROM mlcore_latest_metrics JOIN mlcore_metric_keys ON mlcore_metric_keys.id = mlcore_latest_metrics."key" WHERE mlcore_latest_metrics.run = ? ORDER BY mlcore_metric_keys."key"',
    # of_run
    params_of_run='SELECT mlcore_params."key", mlcore_params.value FROM mlcore_params WHERE mlcore_params.run = ? ORDER BY mlcore_params."key"',
    # of_run
    tags_of_run='SELECT mlcore_tags."key", mlcore_tags.value FROM mlcore_tags WHERE mlcore_tags.run = ? ORDER BY mlcore_tags."key"',
    # of_run
    inputs_of_run='SELECT mlcore_inputs.run, mlcore_inputs.id, mlcore_datasets.name, mlcore_datasets.digest, mlcore_datasets.source_type, mlcore_datasets.source, mlcore_datasets.schema, mlcore_datasets.profile, mlcore_input_tags."key", mlcore_input_tags.value FROM mlcore_inputs JOIN mlcore_datasets ON mlcore_datasets.id = mlcore_inputs.dataset LEFT OUTER JOIN mlcore_input_tags ON mlcore_inputs.id = mlcore_input_tags.input WHERE mlcore_inputs.run = ? ORDER BY mlcore_inputs.id, mlcore_input_tags."key"',
    # of_run, of_key, most, skip
    history='SELECT mlcore_metrics.step, mlcore_metrics.timestamp, mlcore_metrics.value, mlcore_metrics.special FROM mlcore_metrics JOIN mlcore_metric_keys ON mlcore_metrics."key" = mlcore_metric_keys.id WHERE mlcore_metrics.run = ? AND mlcore_metric_keys."key" = ? ORDER BY mlcore_metrics.timestamp, mlcore_metrics.step, CASE WHEN (mlcore_metrics.special = 1) THEN 0 ELSE 1 END, mlcore_metrics.value LIMIT ? OFFSET ?',
    # of_run, of_key, of_special
    has_special='SELECT 1 FROM mlcore_metrics JOIN mlcore_metric_keys ON mlcore_metrics."key" = mlcore_metric_keys.id WHERE mlcore_metrics.run = ? AND mlcore_metric_keys."key" = ? AND mlcore_metrics.special = ?',
    # key
    insert_metric_key='INSERT INTO mlcore_metric_keys ("key") VALUES (?) ON CONFLICT DO NOTHING',
    # of_key
    metric_key='SELECT mlcore_metric_keys.id FROM mlcore_metric_keys WHERE mlcore_metric_keys."key" = ?',
    # of_run, of_key
    latest_metric='SELECT mlcore_latest_metrics.step, mlcore_latest_metrics.timestamp, mlcore_latest_metrics.value, mlcore_latest_metrics.special, mlcore_latest_metrics.min, mlcore_latest_metrics.max, mlcore_latest_metrics.count FROM mlcore_latest_metrics WHERE mlcore_latest_metrics.run = ? AND mlcore_latest_metrics."key" = ?',
    # run, key, step, timestamp, value, special, min, max, count
    set_latest_metric='INSERT INTO mlcore_latest_metrics (run, "key", step, timestamp, value, special, min, max, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, "key") DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp, value = excluded.value, special = excluded.special, min = excluded.min, max = excluded.max, count = excluded.count',
    # run, key, step, timestamp, value, special
    insert_metric='INSERT INTO mlcore_metrics (run, "key", step, timestamp, value, special) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    # run, key, value, number
    insert_param='INSERT INTO mlcore_params (run, "key", value, number) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    # run, key, value
    set_tag='INSERT INTO mlcore_tags (run, "key", value) VALUES (?, ?, ?) ON CONFLICT (run, "key") DO UPDATE SET value = excluded.value',
    # of_run, of_key
    delete_tag='DELETE FROM mlcore_tags WHERE mlcore_tags.run = ? AND mlcore_tags."key" = ?',
    # experiment, name, digest, source_type, source, schema, profile
    insert_dataset="INSERT INTO mlcore_datasets (experiment, name, digest, source_type, source, schema, profile) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    # of_experiment, of_name, of_digest
    dataset="SELECT mlcore_datasets.id FROM mlcore_datasets WHERE mlcore_datasets.experiment = ? AND mlcore_datasets.name = ? AND mlcore_datasets.digest = ?",
    # run, dataset
    insert_input="INSERT INTO mlcore_inputs (run, dataset) VALUES (?, ?) ON CONFLICT DO NOTHING",
    # of_run, of_dataset
    input="SELECT mlcore_inputs.id FROM mlcore_inputs WHERE mlcore_inputs.run = ? AND mlcore_inputs.dataset = ?",
    # input, key, value
    insert_input_tag='INSERT INTO mlcore_input_tags (input, "key", value) VALUES (?, ?, ?) ON CONFLICT (input, "key") DO UPDATE SET value = excluded.value',
    # of_run
    counts_of_run='SELECT mlcore_latest_metrics."key", mlcore_latest_metrics.count FROM mlcore_latest_metrics WHERE mlcore_latest_metrics.run = ?',
    # of_run, of_key, low, high
    count_of_curve='SELECT count(*) AS count_1 FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ?',
    # of_run, of_key, low, high
    curve='SELECT mlcore_metrics.step, mlcore_metrics.timestamp, mlcore_metrics.value, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ?',
    # of_run, of_key, low, high
    first_of_curve='SELECT mlcore_metrics.step, mlcore_metrics.timestamp, mlcore_metrics.value, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? ORDER BY mlcore_metrics.step, mlcore_metrics.timestamp, mlcore_metrics.value LIMIT 1 OFFSET 0',
    # of_run, of_key, low, high
    last_of_curve='SELECT mlcore_metrics.step, mlcore_metrics.timestamp, mlcore_metrics.value, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? ORDER BY mlcore_metrics.step DESC, mlcore_metrics.timestamp DESC, mlcore_metrics.value DESC LIMIT 1 OFFSET 0',
    # of_run, of_key, low, high, width, of_run, of_key, low, high, width
    thin_curve_by_step='SELECT mlcore_metrics.step, mlcore_metrics.timestamp, min(mlcore_metrics.value) AS min_1, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? AND mlcore_metrics.special != 1 GROUP BY mlcore_metrics.step / ? UNION ALL SELECT mlcore_metrics.step, mlcore_metrics.timestamp, max(mlcore_metrics.value) AS max_1, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? AND mlcore_metrics.special != 1 GROUP BY mlcore_metrics.step / ?',
    # of_run, of_key, low, high, width, of_run, of_key, low, high, width
    thin_curve_by_time='SELECT mlcore_metrics.step, mlcore_metrics.timestamp, min(mlcore_metrics.value) AS min_1, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? AND mlcore_metrics.special != 1 GROUP BY mlcore_metrics.timestamp / ? UNION ALL SELECT mlcore_metrics.step, mlcore_metrics.timestamp, max(mlcore_metrics.value) AS max_1, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? AND mlcore_metrics.special != 1 GROUP BY mlcore_metrics.timestamp / ?',
    # of_run, of_key, low, high
    latest_of_curve='SELECT mlcore_metrics.step, mlcore_metrics.timestamp, mlcore_metrics.value, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? ORDER BY mlcore_metrics.step DESC, mlcore_metrics.timestamp DESC, CASE WHEN (mlcore_metrics.special != 1) THEN 0 ELSE 1 END, mlcore_metrics.value DESC LIMIT 1 OFFSET 0',
    # of_run, of_key, low, high, most
    steps_of_curve='SELECT DISTINCT mlcore_metrics.step FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? LIMIT ? OFFSET 0',
    # of_run, of_key, low, high, most
    times_of_curve='SELECT DISTINCT mlcore_metrics.timestamp FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.timestamp >= ? AND mlcore_metrics.timestamp <= ? LIMIT ? OFFSET 0',
    # of_run, of_key, low, high
    extent_by_time='SELECT count(*) AS count_1, min(mlcore_metrics.timestamp) AS min_1, max(mlcore_metrics.timestamp) AS max_1, max(mlcore_metrics.special) AS max_2 FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.timestamp >= ? AND mlcore_metrics.timestamp <= ?',
    # of_run, of_key, low, high
    curve_by_time='SELECT mlcore_metrics.timestamp, mlcore_metrics.step, mlcore_metrics.value, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.timestamp >= ? AND mlcore_metrics.timestamp <= ?',
    # of_run, of_key, low, high
    values_by_time='SELECT mlcore_metrics.timestamp, mlcore_metrics.value FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.timestamp >= ? AND mlcore_metrics.timestamp <= ? ORDER BY mlcore_metrics.step, mlcore_metrics.timestamp, mlcore_metrics.value',
    # first, width, count, of_run, of_key, width, high
    last_by_bucket='WITH RECURSIVE buckets(place, number) AS (SELECT ? AS place, 0 AS number UNION ALL SELECT buckets.place + ? AS anon_2, buckets.number + 1 AS anon_3 FROM buckets WHERE buckets.number + 1 < ?) SELECT buckets.number, (SELECT mlcore_metrics.value FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= buckets.place AND mlcore_metrics.step < buckets.place + ? AND mlcore_metrics.step <= ? AND mlcore_metrics.special != 1 ORDER BY mlcore_metrics.step DESC, mlcore_metrics.timestamp DESC, mlcore_metrics.value DESC LIMIT 1 OFFSET 0) AS anon_1 FROM buckets',
    # first, width, of_run, of_key, low, high, first, width
    stats_by_bucket='SELECT (mlcore_metrics.step - ?) / ? AS bucket, min(mlcore_metrics.value) AS min_1, max(mlcore_metrics.value) AS max_1, sum(mlcore_metrics.value) AS sum_1, count(*) AS count_1 FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? AND mlcore_metrics.special != 1 GROUP BY (mlcore_metrics.step - ?) / ?',
    # first, width, of_run, of_key, low, high
    odd_by_bucket='SELECT DISTINCT (mlcore_metrics.step - ?) / ? AS bucket, mlcore_metrics.special FROM mlcore_metrics WHERE mlcore_metrics.run = ? AND mlcore_metrics."key" = ? AND mlcore_metrics.step >= ? AND mlcore_metrics.step <= ? AND mlcore_metrics.special != 0',
    # model_id, experiment, name, artifact_uri, creation_time, last_update_time, status, status_message, creator_id, model_type, source_run_id, lifecycle_stage
    insert_logged_model="INSERT INTO mlcore_logged_models (model_id, experiment, name, artifact_uri, creation_time, last_update_time, status, status_message, creator_id, model_type, source_run_id, lifecycle_stage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    # of_model_id
    logged_model="SELECT mlcore_logged_models.id, mlcore_logged_models.model_id, mlcore_logged_models.experiment, mlcore_logged_models.name, mlcore_logged_models.artifact_uri, mlcore_logged_models.creation_time, mlcore_logged_models.last_update_time, mlcore_logged_models.status, mlcore_logged_models.status_message, mlcore_logged_models.creator_id, mlcore_logged_models.model_type, mlcore_logged_models.source_run_id, mlcore_logged_models.lifecycle_stage FROM mlcore_logged_models WHERE mlcore_logged_models.model_id = ?",
    # last_update_time, status, lifecycle_stage, of_id
    update_logged_model="UPDATE mlcore_logged_models SET last_update_time=?, status=?, lifecycle_stage=? WHERE mlcore_logged_models.id = ?",
    # of_model
    params_of_logged_model='SELECT mlcore_logged_model_params."key", mlcore_logged_model_params.value FROM mlcore_logged_model_params WHERE mlcore_logged_model_params.model = ? ORDER BY mlcore_logged_model_params."key"',
    # model, key, value, number
    insert_logged_model_param='INSERT INTO mlcore_logged_model_params (model, "key", value, number) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    # of_model
    tags_of_logged_model='SELECT mlcore_logged_model_tags."key", mlcore_logged_model_tags.value FROM mlcore_logged_model_tags WHERE mlcore_logged_model_tags.model = ? ORDER BY mlcore_logged_model_tags."key"',
    # model, key, value
    set_logged_model_tag='INSERT INTO mlcore_logged_model_tags (model, "key", value) VALUES (?, ?, ?) ON CONFLICT (model, "key") DO UPDATE SET value = excluded.value',
    # of_model, of_key
    delete_logged_model_tag='DELETE FROM mlcore_logged_model_tags WHERE mlcore_logged_model_tags.model = ? AND mlcore_logged_model_tags."key" = ?',
    # of_model
    metrics_of_logged_model='SELECT mlcore_logged_model_metrics.model, mlcore_logged_model_metrics."key", mlcore_logged_model_metrics.run_id, mlcore_logged_model_metrics.dataset_name, mlcore_logged_model_metrics.dataset_digest, mlcore_logged_model_metrics.step, mlcore_logged_model_metrics.timestamp, mlcore_logged_model_metrics.value, mlcore_logged_model_metrics.special FROM mlcore_logged_model_metrics WHERE mlcore_logged_model_metrics.model = ? ORDER BY mlcore_logged_model_metrics.model, mlcore_logged_model_metrics."key", mlcore_logged_model_metrics.run_id, mlcore_logged_model_metrics.dataset_name, mlcore_logged_model_metrics.dataset_digest',
    # of_model, of_key, of_run_id, of_dataset_name, of_dataset_digest
    logged_model_metric='SELECT mlcore_logged_model_metrics.step, mlcore_logged_model_metrics.timestamp, mlcore_logged_model_metrics.value, mlcore_logged_model_metrics.special FROM mlcore_logged_model_metrics WHERE mlcore_logged_model_metrics.model = ? AND mlcore_logged_model_metrics."key" = ? AND mlcore_logged_model_metrics.run_id = ? AND mlcore_logged_model_metrics.dataset_name = ? AND mlcore_logged_model_metrics.dataset_digest = ?',
    # model, key, run_id, dataset_name, dataset_digest, step, timestamp, value, special
    set_logged_model_metric='INSERT INTO mlcore_logged_model_metrics (model, "key", run_id, dataset_name, dataset_digest, step, timestamp, value, special) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, "key", run_id, dataset_name, dataset_digest) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp, value = excluded.value, special = excluded.special',
    # run, model_id
    insert_model_input="INSERT INTO mlcore_model_inputs (run, model_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
    # run, model_id, step
    insert_model_output="INSERT INTO mlcore_model_outputs (run, model_id, step) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    # of_run, of_run
    models_of_run="SELECT mlcore_model_inputs.run, mlcore_model_inputs.model_id, NULL AS step, mlcore_model_inputs.id FROM mlcore_model_inputs WHERE mlcore_model_inputs.run = ? UNION ALL SELECT mlcore_model_outputs.run, mlcore_model_outputs.model_id, mlcore_model_outputs.step, mlcore_model_outputs.id FROM mlcore_model_outputs WHERE mlcore_model_outputs.run = ?",
    # of_run, of_writer
    delivered="SELECT mlcore_deliveries.sequence FROM mlcore_deliveries WHERE mlcore_deliveries.run = ? AND mlcore_deliveries.writer = ?",
    # run, writer, sequence
    set_delivered="INSERT INTO mlcore_deliveries (run, writer, sequence) VALUES (?, ?, ?) ON CONFLICT (run, writer) DO UPDATE SET sequence = excluded.sequence",
    # of_run, of_writer
    refusals="SELECT mlcore_refusals.sequence, mlcore_refusals.error, mlcore_refusals.message FROM mlcore_refusals WHERE mlcore_refusals.run = ? AND mlcore_refusals.writer = ? ORDER BY mlcore_refusals.sequence",
    # run, writer, sequence, error, message
    insert_refusal="INSERT INTO mlcore_refusals (run, writer, sequence, error, message) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    # no parameters
    begin_changes="INSERT INTO mlcore_changes (run, experiment, number) SELECT mlcore_runs.id, mlcore_runs.experiment, 0 FROM mlcore_runs",
    # run, experiment, of_experiment
    touch_run="INSERT INTO mlcore_changes (run, experiment, number) VALUES (?, ?, coalesce((SELECT mlcore_change_numbers.number FROM mlcore_change_numbers WHERE mlcore_change_numbers.experiment = ?), 1)) ON CONFLICT (run) DO UPDATE SET experiment = excluded.experiment, number = excluded.number WHERE mlcore_changes.number < excluded.number",
    # of_experiment
    runs_to_touch="SELECT mlcore_runs.id, mlcore_runs.experiment, mlcore_runs.experiment AS experiment__1 FROM mlcore_runs WHERE mlcore_runs.experiment = ? ORDER BY mlcore_runs.id",
    # of_experiment
    latest_change="SELECT max(mlcore_changes.number) AS max_1 FROM mlcore_changes WHERE mlcore_changes.experiment = ?",
    # of_experiment
    change_number="SELECT coalesce((SELECT mlcore_change_numbers.number FROM mlcore_change_numbers WHERE mlcore_change_numbers.experiment = ?), 1) AS coalesce_1",
    # experiment, number
    set_change_number="INSERT INTO mlcore_change_numbers (experiment, number) VALUES (?, ?) ON CONFLICT (experiment) DO UPDATE SET number = excluded.number",
    # of_experiment, since, since, since_run, most
    changes="SELECT mlcore_runs.run_id, mlcore_changes.number, mlcore_changes.run FROM mlcore_changes JOIN mlcore_runs ON mlcore_changes.run = mlcore_runs.id WHERE mlcore_changes.experiment = ? AND (mlcore_changes.number > ? OR mlcore_changes.number = ? AND mlcore_changes.run > ?) ORDER BY mlcore_changes.number, mlcore_changes.run LIMIT ? OFFSET 0",
    # of_experiment
    count_running="SELECT count(*) AS count_1 FROM mlcore_runs WHERE mlcore_runs.experiment = ? AND mlcore_runs.lifecycle_stage = 'active' AND mlcore_runs.status = 'RUNNING'",
    # name, description, creation_time, last_update_time
    insert_model="INSERT INTO mlcore_registered_models (name, description, creation_time, last_update_time, version_count) VALUES (?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
    # of_name
    model="SELECT mlcore_registered_models.id, mlcore_registered_models.name, mlcore_registered_models.description, mlcore_registered_models.creation_time, mlcore_registered_models.last_update_time, mlcore_registered_models.version_count FROM mlcore_registered_models WHERE mlcore_registered_models.name = ?",
    # name, description, last_update_time, of_id
    update_model="UPDATE mlcore_registered_models SET name=?, description=?, last_update_time=? WHERE mlcore_registered_models.id = ?",
    # last_update_time, version_count, of_id
    count_version="UPDATE mlcore_registered_models SET last_update_time=?, version_count=? WHERE mlcore_registered_models.id = ?",
    # last_update_time, of_id
    touch_model="UPDATE mlcore_registered_models SET last_update_time=? WHERE mlcore_registered_models.id = ?",
    # of_id
    delete_model="DELETE FROM mlcore_registered_models WHERE mlcore_registered_models.id = ?",
    # model, version, source, run_id, run_link, stage, status, status_message, description, user_id, creation_time, last_update_time
    insert_version="INSERT INTO mlcore_model_versions (model, version, source, run_id, run_link, stage, status, status_message, description, user_id, creation_time, last_update_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    # of_model, of_version
    version_of_model="SELECT mlcore_model_versions.id, mlcore_model_versions.model, mlcore_registered_models.name, mlcore_model_versions.version, mlcore_model_versions.source, mlcore_model_versions.creation_time, mlcore_model_versions.last_update_time, mlcore_model_versions.run_id, mlcore_model_versions.run_link, mlcore_model_versions.stage, mlcore_model_versions.status, mlcore_model_versions.status_message, mlcore_model_versions.description, mlcore_model_versions.user_id FROM mlcore_model_versions JOIN mlcore_registered_models ON mlcore_registered_models.id = mlcore_model_versions.model WHERE mlcore_model_versions.model = ? AND mlcore_model_versions.version = ?",
    # of_id
    version_by_id="SELECT mlcore_model_versions.id, mlcore_model_versions.model, mlcore_registered_models.name, mlcore_model_versions.version, mlcore_model_versions.source, mlcore_model_versions.creation_time, mlcore_model_versions.last_update_time, mlcore_model_versions.run_id, mlcore_model_versions.run_link, mlcore_model_versions.stage, mlcore_model_versions.status, mlcore_model_versions.status_message, mlcore_model_versions.description, mlcore_model_versions.user_id FROM mlcore_model_versions JOIN mlcore_registered_models ON mlcore_registered_models.id = mlcore_model_versions.model WHERE mlcore_model_versions.id = ?",
    # of_model
    latest_versions="SELECT mlcore_model_versions.id, mlcore_model_versions.model, mlcore_registered_models.name, mlcore_model_versions.version, mlcore_model_versions.source, mlcore_model_versions.creation_time, mlcore_model_versions.last_update_time, mlcore_model_versions.run_id, mlcore_model_versions.run_link, mlcore_model_versions.stage, mlcore_model_versions.status, mlcore_model_versions.status_message, mlcore_model_versions.description, mlcore_model_versions.user_id FROM mlcore_model_versions JOIN mlcore_registered_models ON mlcore_registered_models.id = mlcore_model_versions.model WHERE mlcore_model_versions.version = (SELECT max(newer.version) AS max_1 FROM mlcore_model_versions AS newer WHERE newer.model = mlcore_model_versions.model AND newer.stage = mlcore_model_versions.stage) AND mlcore_model_versions.model = ?",
    # stage, description, last_update_time, of_id
    update_version="UPDATE mlcore_model_versions SET stage=?, description=?, last_update_time=? WHERE mlcore_model_versions.id = ?",
    # last_update_time, of_model, of_stage, but_id
    archive_versions="UPDATE mlcore_model_versions SET stage='Archived', last_update_time=? WHERE mlcore_model_versions.model = ? AND mlcore_model_versions.stage = ? AND mlcore_model_versions.id != ?",
    # last_update_time, of_model
    touch_versions="UPDATE mlcore_model_versions SET last_update_time=? WHERE mlcore_model_versions.model = ?",
    # of_id
    delete_version="DELETE FROM mlcore_model_versions WHERE mlcore_model_versions.id = ?",
    # of_model
    tags_of_model='SELECT mlcore_registered_model_tags."key", mlcore_registered_model_tags.value FROM mlcore_registered_model_tags WHERE mlcore_registered_model_tags.model = ? ORDER BY mlcore_registered_model_tags."key"',
    # model, key, value
    set_model_tag='INSERT INTO mlcore_registered_model_tags (model, "key", value) VALUES (?, ?, ?) ON CONFLICT (model, "key") DO UPDATE SET value = excluded.value',
    # of_model, of_key
    delete_model_tag='DELETE FROM mlcore_registered_model_tags WHERE mlcore_registered_model_tags.model = ? AND mlcore_registered_model_tags."key" = ?',
    # of_model_version
    tags_of_version='SELECT mlcore_model_version_tags."key", mlcore_model_version_tags.value FROM mlcore_model_version_tags WHERE mlcore_model_version_tags.model_version = ? ORDER BY mlcore_model_version_tags."key"',
    # model_version, key, value
    set_version_tag='INSERT INTO mlcore_model_version_tags (model_version, "key", value) VALUES (?, ?, ?) ON CONFLICT (model_version, "key") DO UPDATE SET value = excluded.value',
    # of_model_version, of_key
    delete_version_tag='DELETE FROM mlcore_model_version_tags WHERE mlcore_model_version_tags.model_version = ? AND mlcore_model_version_tags."key" = ?',
    # of_model
    aliases_of_model="SELECT mlcore_model_aliases.alias, mlcore_model_versions.version, mlcore_model_versions.id FROM mlcore_model_aliases JOIN mlcore_model_versions ON mlcore_model_versions.id = mlcore_model_aliases.model_version WHERE mlcore_model_aliases.model = ? ORDER BY mlcore_model_aliases.alias",
    # of_model, of_alias
    version_of_alias="SELECT mlcore_model_aliases.model_version FROM mlcore_model_aliases WHERE mlcore_model_aliases.model = ? AND mlcore_model_aliases.alias = ?",
    # model, alias, model_version
    set_alias="INSERT INTO mlcore_model_aliases (model, alias, model_version) VALUES (?, ?, ?) ON CONFLICT (model, alias) DO UPDATE SET model_version = excluded.model_version",
    # of_model, of_alias
    delete_alias="DELETE FROM mlcore_model_aliases WHERE mlcore_model_aliases.model = ? AND mlcore_model_aliases.alias = ?",
    # model, name
    insert_line="INSERT INTO mlcore_model_lines (model, name, moved, moved_at) VALUES (?, ?, 0, 0)",
    # of_model
    line_of_model="SELECT mlcore_model_lines.id, mlcore_model_lines.moved, mlcore_model_lines.moved_at FROM mlcore_model_lines WHERE mlcore_model_lines.model = ?",
    # name
    ended_line="INSERT INTO mlcore_model_lines (model, name, moved, moved_at) VALUES (NULL, ?, 0, 0)",
    # of_name
    lines_of_name="SELECT mlcore_model_lines.id, mlcore_model_lines.moved, mlcore_model_lines.model FROM mlcore_model_lines WHERE mlcore_model_lines.name = ? ORDER BY mlcore_model_lines.model IS NULL, mlcore_model_lines.id DESC",
    # moved, moved_at, of_id
    move_line="UPDATE mlcore_model_lines SET moved=?, moved_at=? WHERE mlcore_model_lines.id = ?",
    # name, of_id
    rename_line="UPDATE mlcore_model_lines SET name=? WHERE mlcore_model_lines.id = ?",
    # line, number, name, kind, subject, moved_from, moved_to, moved_at, user_id, comment
    insert_move="INSERT INTO mlcore_model_moves (line, number, name, kind, subject, moved_from, moved_to, moved_at, user_id, comment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    # of_line, most, skip
    moves_of_line="SELECT mlcore_model_moves.number, mlcore_model_moves.name, mlcore_model_moves.kind, mlcore_model_moves.subject, mlcore_model_moves.moved_from, mlcore_model_moves.moved_to, mlcore_model_moves.moved_at, mlcore_model_moves.user_id, mlcore_model_moves.comment FROM mlcore_model_moves WHERE mlcore_model_moves.line = ? ORDER BY mlcore_model_moves.number DESC LIMIT ? OFFSET ?",
    # of_name, most, skip
    moves_of_name="SELECT mlcore_model_moves.number, mlcore_model_moves.name, mlcore_model_moves.kind, mlcore_model_moves.subject, mlcore_model_moves.moved_from, mlcore_model_moves.moved_to, mlcore_model_moves.moved_at, mlcore_model_moves.user_id, mlcore_model_moves.comment FROM mlcore_model_moves JOIN mlcore_model_lines ON mlcore_model_lines.id = mlcore_model_moves.line WHERE mlcore_model_lines.name = ? ORDER BY mlcore_model_moves.moved_at DESC, mlcore_model_moves.id DESC LIMIT ? OFFSET ?",
    # of_line, of_number
    move="SELECT mlcore_model_moves.number, mlcore_model_moves.name, mlcore_model_moves.kind, mlcore_model_moves.subject, mlcore_model_moves.moved_from, mlcore_model_moves.moved_to, mlcore_model_moves.moved_at, mlcore_model_moves.user_id, mlcore_model_moves.comment FROM mlcore_model_moves WHERE mlcore_model_moves.line = ? AND mlcore_model_moves.number = ?",
    # of_line, of_kind, of_subject
    last_move_of_subject="SELECT mlcore_model_moves.number, mlcore_model_moves.name, mlcore_model_moves.kind, mlcore_model_moves.subject, mlcore_model_moves.moved_from, mlcore_model_moves.moved_to, mlcore_model_moves.moved_at, mlcore_model_moves.user_id, mlcore_model_moves.comment FROM mlcore_model_moves WHERE mlcore_model_moves.line = ? AND mlcore_model_moves.kind = ? AND mlcore_model_moves.subject = ? ORDER BY mlcore_model_moves.moved_at DESC, mlcore_model_moves.number DESC LIMIT 1 OFFSET 0",
    # of_line, of_kind, of_subject, until
    move_of_subject_at="SELECT mlcore_model_moves.moved_to FROM mlcore_model_moves WHERE mlcore_model_moves.line = ? AND mlcore_model_moves.kind = ? AND mlcore_model_moves.subject = ? AND mlcore_model_moves.moved_at <= ? ORDER BY mlcore_model_moves.moved_at DESC, mlcore_model_moves.number DESC LIMIT 1 OFFSET 0",
    # of_name
    name_now="SELECT mlcore_model_lines.name FROM mlcore_model_moves JOIN mlcore_model_lines ON mlcore_model_lines.id = mlcore_model_moves.line WHERE mlcore_model_moves.name = ? ORDER BY mlcore_model_moves.id DESC LIMIT 1 OFFSET 0",
    # of_model, of_stage, but_id
    versions_in_stage="SELECT mlcore_model_versions.version, mlcore_model_versions.source FROM mlcore_model_versions WHERE mlcore_model_versions.model = ? AND mlcore_model_versions.stage = ? AND mlcore_model_versions.id != ? ORDER BY mlcore_model_versions.version",
    # of_model
    versions_of_model="SELECT mlcore_model_versions.version, mlcore_model_versions.source FROM mlcore_model_versions WHERE mlcore_model_versions.model = ? ORDER BY mlcore_model_versions.version",
    # request_id, line, version, stage, user_id, comment, created_at, archive_existing
    insert_request="INSERT INTO mlcore_transition_requests (request_id, line, version, stage, user_id, comment, created_at, archive_existing, status, decided_by, decision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'PENDING', '', '') ON CONFLICT DO NOTHING",
    # of_request_id
    request="SELECT mlcore_transition_requests.id, mlcore_transition_requests.request_id, mlcore_model_lines.name, mlcore_transition_requests.version, mlcore_transition_requests.stage, mlcore_transition_requests.user_id, mlcore_transition_requests.comment, mlcore_transition_requests.created_at, mlcore_transition_requests.archive_existing, mlcore_transition_requests.status, mlcore_transition_requests.decided_at, mlcore_transition_requests.decided_by, mlcore_transition_requests.decision FROM mlcore_transition_requests JOIN mlcore_model_lines ON mlcore_model_lines.id = mlcore_transition_requests.line WHERE mlcore_transition_requests.request_id = ?",
    # status, decided_at, decided_by, decision, of_id
    decide_request="UPDATE mlcore_transition_requests SET status=?, decided_at=?, decided_by=?, decision=? WHERE mlcore_transition_requests.id = ?",
    # status, decided_at, decided_by, decision, of_line, any_version, of_version
    cancel_requests="UPDATE mlcore_transition_requests SET status=?, decided_at=?, decided_by=?, decision=? WHERE mlcore_transition_requests.line = ? AND (? = 1 OR mlcore_transition_requests.version = ?) AND mlcore_transition_requests.status = 'PENDING'",
    # any_name, of_name, any_status, of_status, most, skip
    search_requests="SELECT mlcore_transition_requests.id, mlcore_transition_requests.request_id, mlcore_model_lines.name, mlcore_transition_requests.version, mlcore_transition_requests.stage, mlcore_transition_requests.user_id, mlcore_transition_requests.comment, mlcore_transition_requests.created_at, mlcore_transition_requests.archive_existing, mlcore_transition_requests.status, mlcore_transition_requests.decided_at, mlcore_transition_requests.decided_by, mlcore_transition_requests.decision FROM mlcore_transition_requests JOIN mlcore_model_lines ON mlcore_model_lines.id = mlcore_transition_requests.line WHERE (? = 1 OR mlcore_model_lines.name = ?) AND (? = 1 OR mlcore_transition_requests.status = ?) ORDER BY mlcore_transition_requests.id DESC LIMIT ? OFFSET ?",
    # no parameters
    every_model="SELECT mlcore_registered_models.id, mlcore_registered_models.name, mlcore_registered_models.creation_time FROM mlcore_registered_models ORDER BY mlcore_registered_models.id",
    # of_model
    known_versions="SELECT mlcore_model_versions.version, mlcore_model_versions.source, mlcore_model_versions.creation_time, mlcore_model_versions.user_id, mlcore_model_versions.stage FROM mlcore_model_versions WHERE mlcore_model_versions.model = ? ORDER BY mlcore_model_versions.creation_time, mlcore_model_versions.version",
)
