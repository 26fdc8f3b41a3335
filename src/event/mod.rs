//! What happened: facts, their envelope and their history of versions.
