"""What is known of detections: one's own loaded and proven by their examples, and what there is to say of each type."""
