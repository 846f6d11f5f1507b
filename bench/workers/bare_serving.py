"""The least that a Starlette application can do for one row: read the JSON, predict, write JSON."""

import sys

import joblib
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

model = joblib.load("model.joblib")
vars(model).pop("feature_names_in_", None)  # it would warn that an array has no names of columns


async def invocations(request: Request) -> JSONResponse:
    document = await request.json()
    return JSONResponse({"predictions": model.predict(np.array(document["dataframe_split"]["data"])).tolist()})


app = Starlette(routes=[Route("/invocations", invocations, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
