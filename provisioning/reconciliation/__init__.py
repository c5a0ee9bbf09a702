"""Does the directory follow from its events? Folds the trail and compares it with the rows.

Who changes a row by SQL leaves it different from what its events say; who deletes or forges events,
too. The seals prove the events; this proves that nothing happened beside them (docs/audit.md).
"""
