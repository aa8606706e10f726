"""Layers and a regulariser that make a network agree with the hierarchy of its codes."""

import keras
import numpy as np
from keras import ops

from icd_relevancy._arguments import WithSettings, is_number, received
from icd_relevancy.errors import InputError

# The module, because it may be the one that imports Keras and so, by the registration, this one.
from icd_relevancy.hierarchy import (
    Hierarchy,
    check_hierarchy,
    check_outputs,
    max_over_descendants,
    mean_of_children,
    min_over_ancestors,
)


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
        hierarchy, **kwargs: As in `RollUp`.

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
        hierarchy, **kwargs: As in `RollUp`.

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


@keras.saving.register_keras_serializable(package="icd_relevancy")
class HierL2(WithSettings, keras.regularizers.Regularizer):
    """Pulls the output weights of a code towards those of its parent.

    Formula: `λ Σ_{j with a parent} ‖w_j − w_parent(j)‖²`. The bias is one more row of w and the sum goes over
    rows, so the same regulariser serves as `kernel_regularizer` and as `bias_regularizer` of the output layer.

    Relations: `keras.regularizers.L2` pulls every code's weights to 0 instead.

    Args:
        hierarchy: The `Hierarchy` of the m outputs.
        strength: λ, from 0. CAC searches 1e-15 to 5e-6.

    Raises:
        InputError: If λ is negative or not finite, or the weights are not of m outputs.

    Example:

    >>> import keras
    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> from icd_relevancy.losses import HierL2
    >>> hier_l2 = HierL2(Hierarchy([-1, 0, 0]), strength=0.5)
    >>> output = keras.layers.Dense(3, kernel_regularizer=hier_l2, bias_regularizer=hier_l2)
    >>> float(hier_l2(keras.ops.array([[1.0, 3.0, 0.0]])))  # 0.5 (2² + 1²)
    2.5

    Reference: CAC §2.5.
    """

    def __init__(self, hierarchy: Hierarchy, strength: float):
        if not is_number(strength, 0) or strength == np.inf:
            raise InputError(f"strength must be a finite number from 0. {received('strength', strength)}")
        check_hierarchy(hierarchy)
        self.hierarchy = hierarchy
        self.strength = strength

    def __call__(self, x):
        check_outputs(self.hierarchy, x)
        parents = self.hierarchy.parents
        by_label = ops.moveaxis(x, -1, 0)
        # A root is its own parent here, at no distance: one gather without a second one for the children.
        above = ops.take(by_label, np.where(parents < 0, np.arange(len(parents)), parents), axis=0)
        return self.strength * ops.sum(ops.square(by_label - above))

    def get_config(self):
        return {"hierarchy": self.hierarchy.get_config(), "strength": self.strength}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "hierarchy": Hierarchy.from_config(config["hierarchy"])})
