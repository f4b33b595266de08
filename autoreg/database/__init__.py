"""From the run folder to results.db, with the views of analysis_sql/."""
