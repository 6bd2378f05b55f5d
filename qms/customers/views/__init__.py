"""Pages of customers, satisfaction reviews, surveys and feedback; the public page of a survey."""
