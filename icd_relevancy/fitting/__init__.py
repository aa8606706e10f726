"""Training any Keras model: batches, early stopping, and interrupted trainings that go on."""
