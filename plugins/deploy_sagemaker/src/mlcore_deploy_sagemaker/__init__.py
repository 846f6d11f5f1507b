"""Amazon SageMaker as a deployment target of mlcore."""
