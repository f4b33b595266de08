"""What a sweep will take: FLOPs, time and disk, before anything of it runs."""
