"""The evaluator's bench: data sets, runs, metrics, comparisons, on the pipeline clinicians use."""
