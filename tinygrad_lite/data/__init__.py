"""Data sets and batches."""

from .collate import collate
from .dataset import Dataset, Subset, TensorDataset, random_split
from .loader import DataLoader
