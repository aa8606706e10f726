"""Layers that make the probabilities of codes agree with the codes' hierarchy."""

import keras

from icd_relevancy.errors import InputError

# The module, because it may be the one that imports Keras and so, by the registration, this one.
from icd_relevancy.hierarchy import Hierarchy, max_over_descendants, mean_of_children, min_over_ancestors


class _HierarchyConstraint(keras.layers.Layer):
    def __init__(self, hierarchy, **kwargs):
        super().__init__(**kwargs)
        self.hierarchy = hierarchy

    def build(self, input_shape):
        if input_shape[-1] != len(self.hierarchy):
            raise InputError(f"the hierarchy has {len(self.hierarchy)} labels, the inputs {input_shape[-1]}")
        self.built = True

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "hierarchy": self.hierarchy.get_config()}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "hierarchy": Hierarchy.from_config(config["hierarchy"])})


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RollUp(_HierarchyConstraint):
    """Raises each code to the most probable code below it, so that no code is less probable than its children.

    Formula: `p'_j = max_{k ∈ D(j)} p_k`, D(j) being j and all its descendants.

    Relations: `RollDown` lowers the children instead. A network may be trained through either, or without
    and constrained at prediction; `MCLoss` is trained to be read through `RollUp`.

    Args:
        hierarchy: The `Hierarchy` of the m labels.
        **kwargs: Base layer arguments: `name`, `dtype` (`"float32"` keeps probabilities exact under mixed
            precision).

    Call arguments:
        inputs: Probabilities or logits, `(…, m)`.

    Returns:
        Of the shape of the inputs.

    Raises:
        InputError: If the inputs have not m columns.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> from icd_relevancy.layers.constraints import RollUp
    >>> np.asarray(RollUp(Hierarchy([-1, 0, 0]))(np.array([[0.125, 0.75, 0.5]]))).tolist()
    [[0.75, 0.75, 0.5]]

    Reference: CAC §2.5.
    """

    def call(self, inputs):
        return max_over_descendants(inputs, self.hierarchy)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RollDown(_HierarchyConstraint):
    """Lowers each code to the least probable code above it, so that no code is more probable than its parent.

    Formula: `p'_j = min_{k ∈ A(j)} p_k`, A(j) being j and all its ancestors.

    Relations: `RollUp` raises the parents instead.

    Args:
        hierarchy: The `Hierarchy` of the m labels.
        **kwargs: Base layer arguments: `name`, `dtype` (`"float32"` keeps probabilities exact under mixed
            precision).

    Call arguments:
        inputs: Probabilities or logits, `(…, m)`.

    Returns:
        Of the shape of the inputs.

    Raises:
        InputError: If the inputs have not m columns.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> from icd_relevancy.layers.constraints import RollDown
    >>> np.asarray(RollDown(Hierarchy([-1, 0, 0]))(np.array([[0.25, 0.75, 0.125]]))).tolist()
    [[0.25, 0.25, 0.125]]

    Reference: CAC §2.5.
    """

    def call(self, inputs):
        return min_over_ancestors(inputs, self.hierarchy)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class MeanOfChildren(_HierarchyConstraint):
    """Sets each code that has children to the mean of their probabilities, from the leaves upwards.

    The control that CAC compares with: a parent so made is less probable than its most probable child,
    which the hierarchy rules out.

    Relations: `RollUp` takes the maximum, which is consistent.

    Args:
        hierarchy: The `Hierarchy` of the m labels.
        **kwargs: Base layer arguments: `name`, `dtype` (`"float32"` keeps probabilities exact under mixed
            precision).

    Call arguments:
        inputs: Probabilities, `(…, m)`; those of inner labels do not matter.

    Returns:
        Of the shape of the inputs.

    Raises:
        InputError: If the inputs have not m columns.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> from icd_relevancy.layers.constraints import MeanOfChildren
    >>> np.asarray(MeanOfChildren(Hierarchy([-1, 0, 0]))(np.array([[0.9, 0.75, 0.25]]))).tolist()
    [[0.5, 0.75, 0.25]]

    Reference: CAC §4, on the strategy of Hansen et al.
    """

    def call(self, inputs):
        return mean_of_children(inputs, self.hierarchy)
