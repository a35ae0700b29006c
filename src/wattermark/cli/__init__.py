"""What a terminal says: options in, one verb called, words out."""
