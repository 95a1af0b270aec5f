"""What all pages share, as `cloudjobs.api` is what all answers of the API share."""
