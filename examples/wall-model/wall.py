# TorchScript: what lies between the solver's flow and the wall model, run in the store beside the model.
#
# All tensors are [walls, 1]: `speed` in U along the wall in the first cell, `distance` of its centre from the wall in h,
# `viscosity` in U h.


def features(speed, distance, viscosity):
    """Input of the model: logarithm of the Reynolds number of the first cell. float32."""
    return torch.log(torch.abs(speed) * distance / viscosity).float()


def stress(answer, speed, distance, viscosity):
    """Results for the solver: the wall's stress in U^2, in the direction of the flow, and the friction velocity in U.

    `answer` is the logarithm of the cell's distance in wall units, distance * friction velocity / viscosity.
    """
    friction = torch.exp(answer.double()) * viscosity / distance
    return friction * friction * speed / torch.abs(speed), friction
