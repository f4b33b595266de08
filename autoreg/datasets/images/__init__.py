"""Reading images: files, caches, crops and batches of them; the datasets themselves lie one level up."""
